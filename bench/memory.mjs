/** Resident memory of a browser's processes, from /proc: Linux only, null elsewhere. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';

const KINDS = ['renderer', 'gpu-process'];

function field(pid, name) {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
}

/** Whether the system tells. */
export const tellsMemory = existsSync('/proc/self/status');

/** Bytes resident in the renderers and GPU processes below this process. */
export function residentNow() {
  const parents = new Map();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      parents.set(Number(pid), field(pid, 'PPid'));
    } catch {
      // It ended meanwhile.
    }
  }
  const isBelow = (pid) => pid > 1 && (pid === process.pid || isBelow(parents.get(pid) ?? 0));
  let bytes = 0;
  for (const pid of parents.keys()) {
    try {
      if (!isBelow(pid)) continue;
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      if (KINDS.some((kind) => command.includes(`--type=${kind}`))) bytes += 1024 * field(pid, 'VmRSS');
    } catch {
      // As above.
    }
  }
  return bytes;
}

/** Watches until `stop`, which gives the most bytes seen at once; null where the system does not tell. */
export function watchMemory() {
  if (!tellsMemory) return { now: () => null, stop: () => null };
  let peak = residentNow();
  const timer = setInterval(() => (peak = Math.max(peak, residentNow())), 250);
  return {
    now: residentNow,
    stop: () => {
      clearInterval(timer);
      return Math.max(peak, residentNow());
    },
  };
}
