/** A backend for a whole merge that outlives the loss of a device: a lost group is computed again, nothing is written twice. */
import type { Backend, WriteSegment } from '../merge/backend';
import type { BackendHost } from './host';

/**
 * Answers for whichever backend the host has. A group whose device is lost starts again on the next backend; segments that were
 * handed to the writer before the loss are not handed to it again. They are what the next backend makes too: on the same
 * adapter to the bit, on the CPU within merging.md section 8.
 *
 * `planned` is the backend the merge was planned for: its limits hold for those that follow.
 */
export function resilient(host: BackendHost, planned: Backend): Backend {
  const line = new Line();
  return {
    get info() {
      return host.info ?? planned.info;
    },
    chunkBytes: planned.chunkBytes,
    concurrency: planned.concurrency ?? 1,
    ...(planned.heldBytes ? { heldBytes: planned.heldBytes } : {}),
    get buffers() {
      return host.buffers;
    },
    merge: (group, parameters, read, write, options) => {
      const attempt = writeOnce(write);
      return line.join((inTurn) => host.use((backend) => inTurn(backend, () => backend.merge(group, parameters, read, attempt(), options))));
    },
    tally: (group, parameters, tallies, read, options) =>
      line.join((inTurn) => host.use((backend) => inTurn(backend, () => backend.tally(group, parameters, tallies, read, options)))),
    hold: (group, read) => host.use((backend) => backend.hold(group, read)),
    adapt: (request, signal) => host.use((backend) => backend.adapt(request, signal)),
    // The host's backend goes on being used.
    dispose: () => {},
  };
}

/**
 * The groups under way, in the order in which they were given: that in which every backend is given them, the next one after a loss too.
 * One that began before another which came earlier would keep that from the device, and wait for its output to be written.
 */
class Line {
  /** The backend that each has begun on last. */
  private readonly begun: { on: Backend | null }[] = [];
  private waiting: (() => void)[] = [];

  /** `act` begins what is its own by `inTurn`, once for every backend. */
  async join<T>(act: (inTurn: (backend: Backend, begin: () => Promise<T>) => Promise<T>) => Promise<T>): Promise<T> {
    const own: { on: Backend | null } = { on: null };
    this.begun.push(own);
    try {
      return await act(async (backend, begin) => {
        while (this.begun.slice(0, this.begun.indexOf(own)).some(({ on }) => on !== backend)) await new Promise<void>((resolve) => this.waiting.push(resolve));
        own.on = backend;
        this.look();
        return begin();
      });
    } finally {
      this.begun.splice(this.begun.indexOf(own), 1);
      this.look();
    }
  }

  private look(): void {
    for (const look of this.waiting.splice(0)) look();
  }
}

/** Makes writers of one and the same sequence of segments: the first to come to a segment writes it, the others wait for that. */
function writeOnce(write: WriteSegment): () => WriteSegment {
  const written: Promise<void>[] = [];
  return () => {
    let next = 0;
    return (segment, bytes) => (written[next++] ??= write(segment, bytes));
  };
}
