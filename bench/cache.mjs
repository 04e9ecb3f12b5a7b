/** The system's cache of files. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

/** Above this the files of a family do not stay in memory between two readings. */
export const WARM_BYTES = 8e9;

/** Drops it. False where that is not allowed: what follows is warm. */
export function dropCaches() {
  try {
    execFileSync('sync');
    writeFileSync('/proc/sys/vm/drop_caches', '3');
    return true;
  } catch {
    return false;
  }
}
