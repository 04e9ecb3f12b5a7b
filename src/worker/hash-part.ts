/** The entry of a worker that hashes files. */
import { serveHashes } from './hash-serving';
import type { ToHashWorker } from './hash-serving';

const receive = serveHashes((message) => self.postMessage(message));
self.addEventListener('message', ({ data }: MessageEvent<ToHashWorker>) => receive(data));
