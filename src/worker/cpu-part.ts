/** The entry of a worker of the CPU backend. */
import type { ToPoolWorker } from '../cpu/pool-messages';
import { serveParts } from '../cpu/serve';

const receive = serveParts((message, transfer) => self.postMessage(message, { transfer }));
self.addEventListener('message', ({ data }: MessageEvent<ToPoolWorker>) => receive(data));
