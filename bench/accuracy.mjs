/**
 * Holds the figures of samples against exact ones and writes bench/ACCURACY.md.
 *
 *   --divisor N   of every dimension of the large family (default 1: TinyLlama-1.1B's own size, 1.1 thousand million values a model)
 *   --draws N     samples drawn of each small family (default 400)
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureInstalled, ROOT, run, tool } from '../scripts/project.mjs';

const { values: options } = parseArgs({ options: { divisor: { type: 'string', default: '1' }, draws: { type: 'string', default: '400' } } });
await ensureInstalled();
const built = await tool('vite', ['build', '--config', 'bench/vite.accuracy.config.ts', '--logLevel', 'warn']);
if (built !== 0) process.exit(built);
process.exit(await run(process.execPath, [join(ROOT, '.cache', 'bench-accuracy', 'main.js'), ROOT, options.divisor, options.draws, join(ROOT, 'bench', 'ACCURACY.md')]));
