/** How fast a backend merges here: one seeded tensor, timed. Decides nothing; whoever chooses a backend compares. */
import { f32ToBf16 } from '../bytes/floats';
import type { TensorParameters } from '../recipe/types';
import type { Backend, Group } from './backend';

/** Large enough for all workers and for a GPU to fill; a few hundredths of a second on either. */
const ELEMENTS = 2 ** 20;
/** The first run compiles, and the better of the others is what the machine does undisturbed. */
const RUNS = 3;
const PARAMETERS: TensorParameters = { weight: [1, 1], density: [0.2, 1], lambda: 1, normalize: true, rescale: false };

/** Parameters a second of a whole TIES merge in bf16, inputs in memory; null when the backend fails at it. */
export async function measureThroughput(backend: Backend, now: () => number = () => performance.now()): Promise<number | null> {
  const inputs = seededInputs();
  const group = calibrationGroup(backend.chunkBytes);
  let best = Infinity;
  try {
    for (let run = 0; run < RUNS; run++) {
      const start = now();
      await backend.merge(group, [PARAMETERS], async ({ first, count }, input) => inputs[input]!.slice(2 * first, 2 * (first + count)), async () => {});
      if (run > 0) best = Math.min(best, now() - start);
    }
  } catch {
    return null;
  }
  return best > 0 ? (ELEMENTS * 1000) / best : null;
}

function calibrationGroup(chunkBytes: number): Group {
  // Three inputs and the output, two bytes each.
  const each = Math.max(2, Math.min(ELEMENTS, 2 * Math.floor(chunkBytes / 16)));
  const chunks = Array.from({ length: Math.ceil(ELEMENTS / each) }, (_, i) => [{ slot: 0, first: i * each, count: Math.min(each, ELEMENTS - i * each), present: [true, true, true] }]);
  const slot = { name: 'calibration', elements: ELEMENTS, inputs: ['BF16', 'BF16', 'BF16'] as const, modelElements: [ELEMENTS, ELEMENTS], outDtype: 'BF16' as const };
  return { method: 'ties', slots: [slot], chunks };
}

/** Deviations as those of a trained model: weights of 0.02, changes of 0.0004 and 0.0008. */
function seededInputs(): Uint8Array<ArrayBuffer>[] {
  let state = 0x51f15eed;
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const about = (deviation: number) => (random() + random() + random() - 1.5) * 2 * deviation;
  const words = [new Uint16Array(ELEMENTS), new Uint16Array(ELEMENTS), new Uint16Array(ELEMENTS)];
  const value = new Float32Array(1);
  const bits = new Uint32Array(value.buffer);
  const put = (input: number, i: number, x: number) => {
    value[0] = x;
    words[input]![i] = f32ToBf16(bits[0]!);
  };
  for (let i = 0; i < ELEMENTS; i++) {
    const base = about(0.02);
    put(0, i, base);
    put(1, i, base + about(0.0004));
    put(2, i, base + about(0.0008));
  }
  return words.map(({ buffer }) => new Uint8Array(buffer));
}
