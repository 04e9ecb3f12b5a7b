/** Several merges in one run on a backend: each folder holds the bytes that a merge of its own gives on the reference. */
import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/merge/backend';
import type { BatchFolder } from '../../src/bytes/source';
import { runBatch } from '../../src/merge/batch';
import { planBatch } from '../../src/merge/batch-plan';
import { planMerge } from '../../src/merge/plan';
import { DEFAULT_CHOICES } from '../../src/merge/plan-types';
import { runMerge } from '../../src/merge/run';
import { densityGrid } from '../../src/recipe/batch';
import { createReferenceBackend } from '../../src/reference/backend';
import { recomputeSpots } from '../../src/reference/spots';
import { familyOf, recipeOf } from '../unit/merge/family';
import { MemoryFolder } from '../unit/merge/memory-folder';

const LIMITS = { chunkBytes: 8_000, shardBytes: 5_000, readAheadBytes: 30_000 };
const TENSORS = { 'model.embed_tokens.weight': [60, 32], 'model.layers.0.mlp.up_proj.weight': [40, 32], 'model.norm.weight': [32] };

class Folders extends MemoryFolder implements BatchFolder {
  readonly inner = new Map<string, MemoryFolder>();
  async folder(name: string): Promise<MemoryFolder> {
    const folder = this.inner.get(name) ?? new MemoryFolder();
    this.inner.set(name, folder);
    return folder;
  }
  async removeEmpty(): Promise<void> {}
}

export function describeBatch(name: string, make: () => Promise<Backend> | Backend): void {
  describe(`several merges in one run on ${name}`, () => {
    it('give each folder the bytes of its own merge', async () => {
      const family = await familyOf({ base: TENSORS, sft: TENSORS, ct: TENSORS });
      const recipe = recipeOf(family, 'ties_sv', 'base', ['sft', 'ct'], { slack: { s: 0.1, of: 'retained', prefer: family.id('sft') } });
      const items = densityGrid(recipe, [family.id('sft'), family.id('ct')], [0.2, 1], (id) => id).map((entry) => ({ folder: entry.folder, plan: planMerge(family.checkpoints, entry.recipe, DEFAULT_CHOICES, LIMITS, {}), extras: [] }));
      const out = new Folders();
      const backend = await make();
      const batch = planBatch(items.map(({ plan }) => plan), { holdBytes: 2 ** 20 });
      const { finished, missing } = await runBatch(items, batch, backend, family.openShard, out, { holdBytes: 2 ** 20, readAheadBytes: LIMITS.readAheadBytes, recompute: recomputeSpots });
      expect([finished.length, missing]).toEqual([4, []]);
      for (const { folder, plan } of items) {
        const alone = new MemoryFolder();
        await runMerge(plan, createReferenceBackend(), family.openShard, alone, {});
        expect(alone.files.size).toBeGreaterThan(1);
        expect(out.inner.get(folder)!.files).toEqual(alone.files);
      }
      backend.dispose();
    });
  });
}
