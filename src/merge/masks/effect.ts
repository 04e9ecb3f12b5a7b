/** Views of a slot that the host has the task vectors of. Twin of src/reference/explore.ts. */
import { DISTRIBUTION_BINS, DISTRIBUTION_SHIFT, type SlotDistribution, type SlotEffect } from '../exploring';
import type { Block, SlotVectors } from './vectors';

/** Sums of squares and products, given theta_m of every block; positions where any of the vectors is not finite are left out. */
export async function effectOf(vectors: SlotVectors, mergedOf: (block: Block) => Float32Array): Promise<SlotEffect> {
  const models = vectors.elements.length;
  let [numel, base2, change2] = [0, 0, 0];
  const tau2 = new Array<number>(models).fill(0);
  const along = new Array<number>(models).fill(0);
  const between = new Array<number>((models * (models - 1)) / 2).fill(0);
  const here = new Float64Array(models);
  await vectors.each((block) => {
    const merged = mergedOf(block);
    for (let p = 0; p < block.count; p++) {
      const theta = block.base[p]!;
      const change = merged[p]! - theta;
      let isFinite = Number.isFinite(change);
      for (let i = 0; i < models; i++) {
        here[i] = block.taus[i]?.[p] ?? 0;
        isFinite &&= Number.isFinite(here[i]!);
      }
      if (!isFinite) continue;
      numel++;
      base2 += theta * theta;
      change2 += change * change;
      let pair = 0;
      for (let i = 0; i < models; i++) {
        tau2[i]! += here[i]! * here[i]!;
        along[i]! += change * here[i]!;
        for (let j = i + 1; j < models; j++) between[pair++]! += here[i]! * here[j]!;
      }
    }
  });
  return { numel, base2, tau2, between, change2, along };
}

/** Eighths of a binade of every |tau|. */
export async function distributionOf(vectors: SlotVectors): Promise<SlotDistribution> {
  const counts = vectors.elements.map((_, model) => (vectors.slot.inputs[model + 1] === null ? null : new Uint32Array(DISTRIBUTION_BINS)));
  await vectors.each((block) => {
    for (const [model, own] of counts.entries()) {
      if (own && block.taus[model]) for (const key of block.keys(model)) own[key >>> DISTRIBUTION_SHIFT]!++;
    }
  });
  return { counts };
}
