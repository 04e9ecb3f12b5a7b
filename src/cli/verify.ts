/** Is a folder what a recipe gives? Merged again in memory and compared; nothing is written. */
import { DestinationError } from '../bytes/errors';
import { watchedOpening } from '../bytes/watched-source';
import { Watchdog } from '../bytes/watchdog';
import type { FileEntry } from '../checkpoint/types';
import type { Backend } from '../merge/backend';
import type { MergePlan } from '../merge/plan-types';
import { verifyPlan, type Verification } from '../merge/verify';
import { DiskSource } from './disk';
import { openFolder, type Opened } from './models';
import { oneLine, type Output } from './output';
import { reportProgress } from './progress';

/** Tensors listed of each kind. */
const MOST_LINES = 20;

/** Rejects with DestinationError `not-the-recipe` where the folder differs, after saying in what. */
export async function verifyFolder(folder: string, plan: MergePlan, backend: Backend, opened: Opened, output: Output, signal: AbortSignal): Promise<void> {
  const paths = new Map<string, string>();
  const merged = await openFolder(folder, folder, paths, watchedOpening(async (entry: FileEntry) => new DiskSource(entry, paths.get(entry.id)!), ({ path }) => path, new Watchdog(), signal));
  const openShard: Opened['openShard'] = async (checkpoint, shard) => {
    if (checkpoint !== merged.id) return opened.openShard(checkpoint, shard);
    const { file } = merged.shards[shard]!;
    return new DiskSource(file, paths.get(file.id)!);
  };
  const { onProgress, end } = reportProgress(output);
  const found = await verifyPlan(plan, merged, backend, openShard, { signal, onProgress }).finally(end);
  output.write(differenceLines(found).map((line) => `${oneLine(line)}\n`).join(''));
  const words = `${found.same} of ${found.tensors} tensors are the same to the bit; ${found.differing} of ${found.values} values differ`;
  const isOther = found.missing.length + found.foreign.length + found.reshaped.length > 0;
  if (found.same < found.tensors || isOther) throw new DestinationError('not-the-recipe', `${folder}: ${words}`, { file: folder });
  output.write(`${words}: ${folder}\n`);
}

function differenceLines({ differences, missing, foreign, reshaped }: Verification): string[] {
  const limited = (lines: readonly string[]) => (lines.length > MOST_LINES ? [...lines.slice(0, MOST_LINES), `and ${lines.length - MOST_LINES} more`] : lines);
  return [
    ...limited(differences.map(({ tensor, values, differing, first, units }) => `${tensor}: ${differing} of ${values} values differ, first value ${first.index}: ${first.actual} instead of ${first.expected}${units === null ? '' : `, at most ${units} units in the last place`}`)),
    ...limited(reshaped.map(({ tensor, expected, actual }) => `${tensor}: ${actual} instead of ${expected}`)),
    ...limited(missing.map((tensor) => `${tensor}: missing`)),
    ...limited(foreign.map((tensor) => `${tensor}: not of the recipe`)),
  ];
}
