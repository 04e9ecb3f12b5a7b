/** Rankings over several tensors on this machine's adapter: see tallies.ts and whole-model.ts. */
import { failOnUncaptured, make, NAME } from './adapter';
import { describeTallies } from './tallies';
import { describeWholeModel } from './whole-model';

failOnUncaptured();
describeTallies(NAME, make({ residentBytes: 0 }), { runs: 2, limits: { maxModels: 3, maxElements: 300 } });
describeWholeModel(NAME, make(), { runs: 4, chunkBytes: 2 ** 12 });
