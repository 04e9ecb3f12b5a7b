/** Slack as a sweep: one evaluation a share, and one reduction for what there is to lose. */
import { throwIfAborted } from '../../merge/abort';
import type { SlackCurveRequest, SlotSlackCurve } from '../../merge/exploring';
import { evaluateShares } from '../../merge/sweeps';
import type { TensorParameters } from '../../recipe/types';
import { THREADS } from '../layout';
import { prepareMagnitude } from '../passes/magnitude';
import { segmentOfBlock } from '../tables';
import { selectGroup } from '../selecting';
import { STORAGE } from '../usage';
import type { HeldGroup } from './held-group';

/** `Held.slackCurve`. */
export async function slackCurves(
  held: HeldGroup,
  parameters: readonly TensorParameters[],
  request: SlackCurveRequest,
  signal?: AbortSignal,
): Promise<(SlotSlackCurve | null)[]> {
  const { prefer } = request;
  const plain = parameters.map(({ slack: _, ...own }) => own);
  const before = await held.evaluate(plain, signal);
  const magnitudes = await magnitudesBesides(held, plain, prefer, signal);
  const sweep = await evaluateShares(held.evaluate, plain, request, signal);
  return held.group.slots.map((slot, s) => {
    if (slot.inputs[prefer + 1] === null) return null;
    const { figures } = before.slots[s]!;
    const at = sweep.map(({ slots }) => slots[s]!.figures);
    return {
      numel: figures.numel,
      kept: figures.kept[prefer]!,
      discarded: figures.discarded[prefer]!,
      magnitude: magnitudes[s]!,
      reserved: Float64Array.from(at, ({ reserved }) => reserved),
      cost: Float64Array.from(at, ({ reservedCost }) => reservedCost),
    };
  });
}

/** Per slot: sum of |w_i tau^_i| over all models but `prefer`; f32 sums of 32 elements, f64 from there. */
async function magnitudesBesides(held: HeldGroup, parameters: readonly TensorParameters[], prefer: number, signal?: AbortSignal): Promise<Float64Array> {
  const { context, group, residency } = held;
  const buffers = await held.prepare(parameters);
  const { overrides } = await selectGroup({ context, group, parameters, buffers, residency });
  const magnitude = await prepareMagnitude(context, overrides);
  throwIfAborted(signal);
  const chunk = await residency.load(0);
  const { blockCount } = chunk.tables;
  const size = 4 * THREADS * blockCount;
  const partials = await context.memory.borrow('magnitudes', size, STORAGE);
  try {
    const recording = context.record('magnitude');
    magnitude(recording, chunk, buffers, prefer, partials);
    recording.submit();
    const [bytes] = await context.readBack([{ buffer: partials, size }]);
    const sums = new Float64Array(group.slots.length);
    new Float32Array(bytes!.buffer).forEach((value, i) => {
      const segment = segmentOfBlock(chunk.tables, Math.floor(i / THREADS));
      sums[group.chunks[0]![segment]!.slot]! += value;
    });
    return sums;
  } finally {
    context.memory.release(partials);
  }
}
