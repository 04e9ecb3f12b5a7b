/** The factors of `rescale` (merging.md section 4): exact sums on the device, factors on the host. */
import type { TensorParameters } from '../recipe/types';
import type { Bracketed } from './bracket';
import type { Overrides } from './context';
import { SUM_WORDS } from './layout';
import { prepareSums, rescaleFactor } from './passes/sums';
import type { Selectable } from './selectable';
import type { Sweep } from './sweep';
import { STORAGE } from './usage';

/** Per slot and model: given, or from one pass over the chunks, which submits what the sweep has recorded and may throw BracketMissed. */
export async function rescaleFactors(
  { context, group, parameters, buffers }: Selectable,
  overrides: Overrides,
  sweep: Sweep,
  bracketed: Bracketed | null,
): Promise<number[][]> {
  if (parameters.every(({ factor, rescale }) => factor !== undefined || !rescale)) return parameters.map(({ factor, weight }) => weight.map((_, model) => factor?.[model] ?? 1));
  const sums = await prepareSums(context, overrides);
  const models = group.slots[0]!.inputs.length - 1;
  const bytes = 4 * SUM_WORDS * group.slots.length;
  const loan = context.memory.loan();
  try {
    const totals: GPUBuffer[] = [];
    for (let model = 0; model < models; model++) {
      totals.push(await loan.borrow('totals', bytes, STORAGE));
      sweep.recording.clear(totals[model]!, 0, bytes);
    }
    await sweep.over((recording, chunk) => totals.forEach((into, model) => sums(recording, chunk, buffers, model, into)));
    const staged = await context.stage(sweep.recording, [...totals.map((buffer) => ({ buffer, size: bytes })), ...(bracketed ? [bracketed.counts] : [])], loan);
    sweep.recording.submit();
    const words = await staged.read();
    if (bracketed) bracketed.check(words.pop()!);
    const counters = words.map(({ buffer }) => new Uint32Array(buffer));
    return group.slots.map((_, s) =>
      counters.map((own, model) => factorOf(parameters[s]!, model, () => rescaleFactor(own.subarray(s * SUM_WORDS, (s + 1) * SUM_WORDS)))),
    );
  } finally {
    loan.release();
  }
}

function factorOf({ rescale, drop, density, factor }: TensorParameters, model: number, bySums: () => number): number {
  if (factor !== undefined || !rescale) return factor?.[model] ?? 1;
  return drop?.rescaleBy === 'density' ? Math.fround(1 / Math.min(1, density[model]!)) : bySums();
}
