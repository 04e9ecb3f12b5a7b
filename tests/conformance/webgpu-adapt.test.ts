/** Values of adapters on this machine's adapter, in both arithmetics, whole and in dispatches of one block. */
import { describeAdapt } from './adapt';
import { failOnUncaptured, make, NAME } from './adapter';

failOnUncaptured();
describeAdapt(NAME, make());
describeAdapt(`${NAME}, integer arithmetic, block by block`, make({ arithmetic: 'integer', dispatchBlocks: 1 }));
