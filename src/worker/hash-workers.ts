/** The workers that hash files in a browser. */
import hashScript from './hash-part?worker&url';
import type { HashWorker } from './hashing';
import { spawnPart } from './part-workers';

export const spawnHashWorker = (): HashWorker => spawnPart(hashScript, 'hashing');
