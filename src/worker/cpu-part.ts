/** The entry of a worker of the CPU backend. */
import type { ToPoolWorker } from '../cpu/pool-messages';
import { serveParts } from '../cpu/serve';
import { serveHere } from './part-workers';

serveHere<ToPoolWorker>(serveParts((message, transfer) => self.postMessage(message, { transfer })));
