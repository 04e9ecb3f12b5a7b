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
  return {
    get info() {
      return host.info ?? planned.info;
    },
    chunkBytes: planned.chunkBytes,
    // Groups that begin again after a loss do so in any order, and one that waits for its turn to write would keep the one before it
    // from the device: of what can be lost, one at a time.
    concurrency: planned.info.kind === 'webgpu' ? 1 : (planned.concurrency ?? 1),
    ...(planned.heldBytes ? { heldBytes: planned.heldBytes } : {}),
    merge: (group, parameters, read, write, options) => {
      const attempt = writeOnce(write);
      return host.use((backend) => backend.merge(group, parameters, read, attempt(), options));
    },
    tally: (group, parameters, tallies, read, options) => host.use((backend) => backend.tally(group, parameters, tallies, read, options)),
    hold: (group, read) => host.use((backend) => backend.hold(group, read)),
    adapt: (request) => host.use((backend) => backend.adapt(request)),
    // The host's backend goes on being used.
    dispose: () => {},
  };
}

/** Makes writers of one and the same sequence of segments: the first to come to a segment writes it, the others wait for that. */
function writeOnce(write: WriteSegment): () => WriteSegment {
  const written: Promise<void>[] = [];
  return () => {
    let next = 0;
    return (segment, bytes) => (written[next++] ??= write(segment, bytes));
  };
}
