/** Integer tensors that are copied from the base only when all checkpoints agree on their bytes (merging.md section 8). */
import { IncompatibleCheckpointsError } from '../bytes/errors';
import { piecesOf } from './copying';
import type { IntegerComparison } from './plan-types';
import type { Sources } from './reading';

/** Rejects with IncompatibleCheckpointsError `integer-differs`, naming every tensor that differs and the first one's model. */
export async function compareIntegers(comparisons: readonly IntegerComparison[], sources: Sources): Promise<void> {
  const differing: { readonly tensor: string; readonly model: string }[] = [];
  for (const comparison of comparisons) {
    const model = await differingModel(comparison, sources);
    if (model !== null) differing.push({ tensor: comparison.tensor, model });
  }
  const [first] = differing;
  if (!first) return;
  const names = differing.map(({ tensor }) => tensor);
  throw new IncompatibleCheckpointsError('integer-differs', `integer tensors differ: ${names.join(', ')}`, { ...first, names });
}

/** Checkpoint id of the first model whose bytes are not the base's; null when all agree. */
async function differingModel({ ranges }: IntegerComparison, sources: Sources): Promise<string | null> {
  const [base, ...models] = ranges.map((range) => piecesOf(range, sources.copyBytes));
  for (const [i, piece] of base!.entries()) {
    const [expected, ...actual] = await sources.readAll([piece, ...models.map((pieces) => pieces[i]!)]);
    const at = actual.findIndex((bytes) => !sameBytes(expected!, bytes));
    for (const bytes of [expected!, ...actual]) sources.done(bytes);
    if (at >= 0) return ranges[at + 1]!.checkpoint;
  }
  return null;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
