/** The entry of a worker that hashes files. */
import { serveHashes, type ToHashWorker } from './hash-serving';
import { serveHere } from './part-workers';

serveHere<ToHashWorker>(serveHashes((message, transfer) => self.postMessage(message, { transfer })));
