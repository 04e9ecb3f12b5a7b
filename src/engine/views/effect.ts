/** What a merge changes: lengths and products, from one reduction over the resident inputs. */
import { throwIfAborted } from '../../merge/abort';
import type { SlotEffect } from '../../merge/exploring';
import type { TensorParameters } from '../../recipe/types';
import { EFFECT, effectKinds, pairIndex, SLACK_LANE, THREADS } from '../layout';
import { prepareEffect } from '../passes/effect';
import { segmentOfBlock } from '../tables';
import { selectGroup } from '../selecting';
import { STORAGE } from '../usage';
import type { HeldGroup } from './held-group';

/** `Held.effect`. f32 sums over a block of 8,192, f64 from there. */
export async function slotEffects(held: HeldGroup, parameters: readonly TensorParameters[], signal?: AbortSignal): Promise<SlotEffect[]> {
  const { context, group, residency } = held;
  const { memory } = context;
  const buffers = await held.prepare(parameters);
  const { overrides } = await selectGroup({ context, group, parameters, buffers, residency });
  const effect = await prepareEffect(context, overrides, buffers.lanes.includes(SLACK_LANE));
  throwIfAborted(signal);
  const chunk = await residency.load(0);
  const models = group.slots[0]!.inputs.length - 1;
  const { blockCount } = chunk.tables;
  const extentBytes = 4 * (models + EFFECT.firstTau) * group.slots.length;
  const sumBytes = 4 * effectKinds(models) * blockCount;
  const loan = memory.loan();
  try {
    const extents = await loan.borrow('extents', extentBytes, STORAGE);
    const partials = await loan.borrow('effect partials', THREADS * sumBytes, STORAGE);
    const sums = await loan.borrow('effect sums', sumBytes, STORAGE);
    const recording = context.record('effect');
    recording.clear(extents, 0, extentBytes);
    effect(recording, chunk, buffers, { extents, partials, sums });
    recording.submit();
    const [extentWords, sumWords] = await context.readBack([
      { buffer: extents, size: extentBytes },
      { buffer: sums, size: sumBytes },
    ]);
    const totals = group.slots.map(() => new Float64Array(effectKinds(models)));
    new Float32Array(sumWords!.buffer).forEach((value, i) => {
      const segment = segmentOfBlock(chunk.tables, Math.floor(i / effectKinds(models)));
      totals[group.chunks[0]![segment]!.slot]![i % effectKinds(models)]! += value;
    });
    const keys = new Uint32Array(extentWords!.buffer);
    return totals.map((mine, s) => unscaled(mine, keys.subarray(s * (models + EFFECT.firstTau), (s + 1) * (models + EFFECT.firstTau)), models));
  } finally {
    loan.release();
  }
}

/** The sums of one slot without the powers of two that the shader scaled its vectors by. */
function unscaled(sums: Float64Array, extents: Uint32Array, models: number): SlotEffect {
  const unit = Array.from(extents, (key) => 2 ** (127 - Math.min(Math.max(254 - (key >>> 23), 1), 254)));
  const tau = (model: number) => unit[EFFECT.firstTau + model]!;
  const square = EFFECT.firstSquare;
  const each = Array.from({ length: models }, (_, model) => model);
  return {
    numel: sums[0]!,
    base2: sums[1]! * unit[0]! * unit[0]!,
    change2: sums[2]! * unit[1]! * unit[1]!,
    tau2: each.map((model) => sums[square + model]! * tau(model) * tau(model)),
    along: each.map((model) => sums[square + models + model]! * tau(model) * unit[1]!),
    between: each.flatMap((i) => each.slice(i + 1).map((j) => sums[square + 2 * models + pairIndex(i, j)]! * tau(i) * tau(j))),
  };
}
