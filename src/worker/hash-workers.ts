/** The workers that hash files in a browser. */
import hashScript from './hash-part?worker&url';
import type { FromHashWorker } from './hash-serving';
import type { HashWorker } from './hashing';
import { spawnModule } from './spawn';

export function spawnHashWorker(): HashWorker {
  const worker = spawnModule(hashScript, 'hashing');
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    listen(onMessage, onDeath) {
      worker.addEventListener('message', ({ data }: MessageEvent<FromHashWorker>) => onMessage(data));
      worker.addEventListener('error', (event) => {
        event.preventDefault();
        onDeath(event.message || 'its script did not load');
      });
      worker.addEventListener('messageerror', () => onDeath('a message could not be read'));
    },
    terminate: () => worker.terminate(),
  };
}
