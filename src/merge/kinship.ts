/** How far apart checkpoints are, from a few blocks of each: what tells an ancestor from its descendants. */
import { decodeToF32 } from '../bytes/floats';
import { isMergedDtype } from '../bytes/dtypes';
import type { MergedDtype } from '../bytes/dtypes';
import { placeOf } from '../checkpoint/places';
import type { Checkpoint, TensorEntry } from '../checkpoint/types';
import { Sources } from './reading';
import type { OpenShard } from './reading';

/** Tensors looked at, spread over the layers, and values of each: a quarter of a million give a cosine to within 0.002. */
const MOST_TENSORS = 64;
const BLOCK = 4096;

/** Checkpoints whose layers have the same tensors, and what was measured over the same values of each. */
export interface Kin {
  /** Checkpoint ids. */
  readonly ids: readonly string[];
  /** Per checkpoint: sum of theta squared. */
  readonly norm2: readonly number[];
  /** Per checkpoint, per other: sum of squared differences. */
  readonly distance2: readonly (readonly number[])[];
}

/**
 * Measures every group of at least two checkpoints with equal layers; others have no kin here. Reads at most 512 KB of a checkpoint
 * in BF16. `ready` is waited for before each read. Positions where any checkpoint is not finite are left out. Rejects as the sources
 * and `ready` do.
 */
export async function kinshipOf(checkpoints: readonly Checkpoint[], openShard: OpenShard, ready: () => Promise<void>): Promise<Kin[]> {
  const sources = new Sources(openShard, { ready, reading: (_, read) => read() });
  const groups = new Map<string, Checkpoint[]>();
  for (const checkpoint of checkpoints) {
    const layers = layersOf(checkpoint);
    if (checkpoint.adapter || layers.length === 0) continue;
    const key = JSON.stringify(layers.map(({ name, shape }) => [name, shape]));
    groups.set(key, [...(groups.get(key) ?? []), checkpoint]);
  }
  const kin: Kin[] = [];
  for (const group of groups.values()) if (group.length > 1) kin.push(await measure(group, sources));
  return kin;
}

/** Floating tensors of the layers: what a vocabulary adds is nothing to them. */
function layersOf({ tensors }: Checkpoint): TensorEntry[] {
  return tensors.filter(({ name, dtype, elements }) => placeOf(name).layer !== null && isMergedDtype(dtype) && elements > 0);
}

async function measure(group: readonly Checkpoint[], sources: Sources): Promise<Kin> {
  const [first, ...others] = group.map(layersOf);
  const matrices = first!.flatMap(({ shape }, i) => (shape.length > 1 ? [i] : []));
  const eligible = matrices.length > 0 ? matrices : [...first!.keys()];
  const step = Math.max(1, eligible.length / MOST_TENSORS);
  const looked = Array.from({ length: Math.min(MOST_TENSORS, eligible.length) }, (_, i) => eligible[Math.floor(i * step)]!);

  const norm2 = group.map(() => 0);
  const distance2 = group.map(() => group.map(() => 0));
  for (const at of looked) {
    const entries = [first!, ...others].map((tensors) => tensors[at]!);
    const values = await Promise.all(entries.map((entry, i) => middleOf(entry, group[i]!.id, sources)));
    for (let p = 0; p < values[0]!.length; p++) {
      if (!values.every((one) => Number.isFinite(one[p]))) continue;
      for (let a = 0; a < values.length; a++) {
        const theta = values[a]![p]!;
        norm2[a]! += theta * theta;
        for (let b = a + 1; b < values.length; b++) {
          const apart = theta - values[b]![p]!;
          distance2[a]![b]! += apart * apart;
          distance2[b]![a]! += apart * apart;
        }
      }
    }
  }
  return { ids: group.map(({ id }) => id), norm2, distance2 };
}

/** The middle of a tensor, in f32. */
async function middleOf({ dtype, elements, shard, begin, end }: TensorEntry, checkpoint: string, sources: Sources): Promise<Float32Array> {
  const count = Math.min(BLOCK, elements);
  const from = Math.floor((elements - count) / 2);
  const width = (end - begin) / elements;
  const bytes = await sources.read({ checkpoint, shard, begin: begin + from * width, end: begin + (from + count) * width });
  return decodeToF32(bytes, dtype as MergedDtype);
}
