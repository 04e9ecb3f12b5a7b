/** The entry of a worker thread of the CPU backend. */
import { parentPort } from 'node:worker_threads';
import type { ToPoolWorker } from '../cpu/pool-messages';
import { serveParts } from '../cpu/serve';

const port = parentPort!;
const receive = serveParts((message, transfer) => port.postMessage(message, transfer));
port.on('message', (message: ToPoolWorker) => receive(message));
