/** Values of adapters, and several merges in one run, on this machine's adapter, in both arithmetics, whole and in dispatches of one block. */
import { describeAdapt } from './adapt';
import { describeAdaptedMerge } from './adapted-merge';
import { failOnUncaptured, make, NAME } from './adapter';
import { describeBatch } from './batch';

failOnUncaptured();
describeAdapt(NAME, make());
describeAdapt(`${NAME}, integer arithmetic, block by block`, make({ arithmetic: 'integer', dispatchBlocks: 1 }));
describeAdaptedMerge(NAME, make(), [2 ** 10]);
describeBatch(NAME, make());
