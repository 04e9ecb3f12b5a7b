/**
 * Several tensors through the engine as the merge gives them to it, one or two at a time: how long, and how often and how long the
 * queue was empty between the first submission and the last.
 */
import type { WebGpuBackend } from '../src/engine/backend';
import type { Group } from '../src/merge/backend';
import type { TensorParameters } from '../src/recipe/types';
import { type Idle, measureInTurns, type Measurement } from './report';
import { syntheticFamily } from './synthetic';

const TENSORS = 6;
const ROWS = 1024;
const REPETITIONS = 5;

/** A merge whose tensors are given `together` at a time; each is written when those before it are. */
function mergeOf(engine: WebGpuBackend, group: Group, parameters: TensorParameters, family: readonly Uint8Array<ArrayBuffer>[], together: number): () => Promise<void> {
  const file = new Uint8Array(family[0]!.byteLength);
  return async () => {
    const ends: Promise<unknown>[] = [];
    for (let t = 0; t < TENSORS; t++) {
      const before = ends.at(-1);
      ends.push(
        engine.merge(
          group,
          [parameters],
          async ({ first, count }, input) => family[input]!.slice(first * 2, (first + count) * 2),
          async ({ first }, bytes) => {
            await before;
            file.set(bytes, first * 2);
          },
        ),
      );
      await ends[t - together + 1];
    }
    await Promise.all(ends);
  };
}

/** What `work` leaves the queue of a device without. */
async function idleIn(queue: GPUQueue, work: () => Promise<void>): Promise<Pick<Idle, 'times' | 'seconds'>> {
  const submit = queue.submit.bind(queue);
  let [pending, times, seconds, since] = [0, 0, 0, 0];
  queue.submit = (commands) => {
    if (pending === 0 && since > 0) {
      times++;
      seconds += (performance.now() - since) / 1000;
    }
    pending++;
    submit(commands);
    void queue.onSubmittedWorkDone().then(() => {
      pending--;
      since = performance.now();
    });
  };
  try {
    await work();
  } finally {
    queue.submit = submit;
  }
  return { times, seconds };
}

/** Both ways in turns, then each once more with its queue watched. `groupOf`: a tensor of so many values. */
export async function severalTimings(device: GPUDevice, engine: WebGpuBackend, groupOf: (elements: number) => Group, parameters: TensorParameters): Promise<{ rows: Measurement[]; idle: Idle[] }> {
  const family = syntheticFamily(ROWS);
  const group = groupOf(family[0]!.byteLength / 2);
  const ways = ['one', 'two'].map((name, i) => ({ name: `engine, ${TENSORS} tensors of ${(family[0]!.byteLength / 2) / 2 ** 20} Mi values, ${name} at a time`, work: mergeOf(engine, group, parameters, family, i + 1) }));
  const rows = await measureInTurns(ways, TENSORS * family.length * family[0]!.byteLength, REPETITIONS, (TENSORS * family[0]!.byteLength) / 2);
  const idle: Idle[] = [];
  for (const { name, work } of ways) idle.push({ title: name, ...(await idleIn(device.queue, work)) });
  return { rows, idle };
}
