/** Families that are opened as the studio opens files, and what is merged of them. */
import type { ByteSource } from '../../src/bytes/source';
import { openCheckpoints } from '../../src/checkpoint/open';
import type { Checkpoint } from '../../src/checkpoint/types';
import type { OpenShard } from '../../src/merge/reading';
import type { Recipe } from '../../src/recipe/types';

export interface OpenFamily {
  readonly checkpoints: readonly Checkpoint[];
  readonly openShard: OpenShard;
}

/** One checkpoint per folder; throws the first problem. */
export async function openFamily(sources: readonly ByteSource[]): Promise<OpenFamily> {
  const byPath = new Map(sources.map((source) => [source.name, source]));
  const files = sources.map(({ name, size }, i) => ({ id: `f${i}`, path: name, size, modified: i }));
  const { checkpoints, problems } = await openCheckpoints(files, async ({ path }) => byPath.get(path)!);
  if (problems.length > 0) throw problems[0]!.error;
  return {
    checkpoints,
    openShard: async (id, shard) => byPath.get(checkpoints.find((checkpoint) => checkpoint.id === id)!.shards[shard]!.file.path)!,
  };
}

/** The paper's recipe: k = 0.2 of SFT, all of CT, lambda 1, and a slack of 4 % of what is retained of SFT. */
export function paperRecipe({ checkpoints }: OpenFamily, sft: string, ct: string): Recipe {
  const id = (name: string) => checkpoints.find((checkpoint) => checkpoint.name === name)!.id;
  return {
    method: 'ties_sv',
    base: id('base'),
    models: [
      { model: id(sft), weight: 1, density: 0.2 },
      { model: id(ct), weight: 1, density: 1 },
    ],
    lambda: 1,
    normalize: true,
    rescale: false,
    slack: { s: 0.04, of: 'retained', prefer: id(sft) },
    outDtype: 'base',
    rules: [],
    tokenizerFrom: null,
  };
}
