/** The entry of a worker thread of the CPU backend. */
import { parentPort, workerData } from 'node:worker_threads';
import type { ToPoolWorker } from '../cpu/pool-messages';
import { serveParts } from '../cpu/serve';
import { createWorkspace } from '../cpu/workspace';

const port = parentPort!;
const { simd } = workerData as { readonly simd: boolean };
const receive = serveParts((message, transfer) => port.postMessage(message, transfer), createWorkspace(simd));
port.on('message', (message: ToPoolWorker) => receive(message));
