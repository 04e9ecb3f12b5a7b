/** The worker's entry: puts the session together with this machine's backends and files, and connects it to the page. */
import { exportedFile, openExportFolder, removeStored, storedFiles, visitExportFolder } from '../files/export-folder';
import { openFiguresStore } from '../files/figures-store';
import { fetchSample } from '../files/sample';
import { FileStore } from '../files/store';
import { HASHED_AT_ONCE } from '../merge/io-sizes';
import { BACKENDS } from './backends';
import { Dispatcher } from './dispatch';
import { spawnHashWorker } from './hash-workers';
import { HashWorkers } from './hashing';
import { holdOwnName } from './lifeline';
import type { FromWorker } from './protocol';
import { createSession } from './session';
import { SIZING } from './sizing';

const post = (message: FromWorker, transfer: Transferable[] = []) => self.postMessage(message, { transfer });
const hashing = new HashWorkers(HASHED_AT_ONCE, spawnHashWorker);
const handlers = createSession({ hashing, backends: BACKENDS, store: new FileStore(), fetchSample, openExportFolder, visitExportFolder, exportedFile, storedFiles, removeStored, figuresStore: openFiguresStore(), sizing: SIZING, emit: post });
const dispatcher = new Dispatcher(handlers, post);

const isHeld = holdOwnName();
self.addEventListener('message', ({ data }) => {
  void isHeld.then(() => dispatcher.receive(data));
});
