/** How a slot's |tau| spread: the first digit of the selection is their histogram. */
import { throwIfAborted } from '../../merge/abort';
import { DISTRIBUTION_SHIFT, type SlotDistribution } from '../../merge/exploring';
import type { TensorParameters } from '../../recipe/types';
import { DIGITS } from '../digits';
import { BINS } from '../layout';
import { groupOverrides } from '../overrides';
import { prepareHistogram } from '../passes/histogram';
import { STORAGE } from '../usage';
import type { HeldGroup } from './held-group';

/** `Held.distribution`. */
export async function slotDistribution({ context, group, residency, prepare }: HeldGroup, slot: number, signal?: AbortSignal): Promise<SlotDistribution> {
  const models = group.slots[slot]!.inputs.slice(1);
  const untrimmed = group.slots.map(() => ({ weight: models.map(() => 1), density: models.map(() => 1), lambda: 1, normalize: false, rescale: false }) satisfies TensorParameters);
  const buffers = await prepare(untrimmed);
  buffers.rankOnly(slot);
  const lanes = models.flatMap((dtype, model) => (dtype === null ? [] : [model]));
  const overrides = groupOverrides(group, untrimmed);
  const digit = DIGITS.find(({ shift }) => shift === DISTRIBUTION_SHIFT)!;
  const passes = await Promise.all(lanes.map((lane) => prepareHistogram(context, overrides, lane)));
  throwIfAborted(signal);
  const chunk = await residency.load(0);
  const staging = await context.memory.borrow('distribution', Math.max(1, lanes.length) * BINS * 4, STORAGE);
  try {
    const recording = context.record('distribution');
    buffers.begin(recording);
    passes.forEach((pass, i) => {
      const histograms = buffers.histograms(lanes[i]!);
      pass(recording, chunk, buffers, digit);
      recording.copy(histograms.buffer, histograms.offset! + slot * BINS * 4, staging, i * BINS * 4, BINS * 4);
    });
    recording.submit();
    const [bytes] = await context.readBack([{ buffer: staging, size: lanes.length * BINS * 4 }]);
    const counts = new Uint32Array(bytes!.buffer);
    return { counts: models.map((_, model) => (lanes.includes(model) ? counts.slice(lanes.indexOf(model) * BINS, (lanes.indexOf(model) + 1) * BINS) : null)) };
  } finally {
    context.memory.release(staging);
  }
}
