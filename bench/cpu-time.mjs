/** CPU seconds of a browser's threads by what they do, from /proc: Linux only, null elsewhere. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';

/** Kernel ticks a second in /proc: USER_HZ, 100 on every Linux that Chromium runs on. */
const TICKS = 100;
const SAMPLE_MS = 200;

const tellsThreads = existsSync('/proc/self/task');

/** Every thread below this process: `{tid, began, kind, name, ticks}`; `kind` is Chromium's type of process, or `browser`. */
function threadsNow() {
  const processes = new Map();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number)) {
    try {
      processes.set(pid, Number(statOf(`/proc/${pid}/stat`).fields[1]));
    } catch {
      // It ended meanwhile.
    }
  }
  const isBelow = (pid) => pid > 1 && (pid === process.pid || isBelow(processes.get(pid) ?? 0));
  const threads = [];
  for (const pid of processes.keys()) {
    if (pid === process.pid || !isBelow(pid)) continue;
    try {
      const kind = /--type=([a-z-]+)/.exec(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))?.[1] ?? 'browser';
      for (const tid of readdirSync(`/proc/${pid}/task`)) {
        const { name, fields } = statOf(`/proc/${pid}/task/${tid}/stat`);
        threads.push({ tid: Number(tid), began: Number(fields[19]), kind, name, ticks: Number(fields[11]) + Number(fields[12]) });
      }
    } catch {
      // As above.
    }
  }
  return threads;
}

/** Name and the fields after it, from the state on (field 3 of proc(5)). */
function statOf(path) {
  const text = readFileSync(path, 'utf8');
  const end = text.lastIndexOf(')');
  return { name: text.slice(text.indexOf('(') + 1, end), fields: text.slice(end + 2).split(' ') };
}

/**
 * Sums of threads as they were seen last, by what they do. Of the page's workers the first is the studio's own, which reads, writes
 * and waits; the others compute, or digest pieces and hash whole files. The renderer's thread pool collects garbage, files are read and
 * written by the browser and its utility processes.
 */
export function partsOf(threads) {
  const workers = threads.filter(({ kind, name }) => kind === 'renderer' && name.startsWith('DedicatedWorker')).sort((a, b) => a.began - b.began || a.tid - b.tid);
  const parts = { studio: 0, workers: 0, pool: 0, files: 0, other: 0 };
  for (const thread of threads) {
    const { kind, name, ticks } = thread;
    if (thread === workers[0]) parts.studio += ticks;
    else if (workers.includes(thread)) parts.workers += ticks;
    else if (kind === 'renderer' && name.startsWith('ThreadPool')) parts.pool += ticks;
    else if (kind === 'browser' || kind === 'utility') parts.files += ticks;
    else parts.other += ticks;
  }
  return Object.fromEntries(Object.entries(parts).map(([part, ticks]) => [part, ticks / TICKS]));
}

/** Watches until `stop`, which gives the seconds of each part since then; null where the system does not tell. */
export function watchThreads() {
  if (!tellsThreads) return { stop: () => null };
  const seen = new Map();
  const look = () => {
    for (const thread of threadsNow()) seen.set(`${thread.tid} ${thread.began}`, thread);
  };
  look();
  const before = partsOf([...seen.values()]);
  // Threads that end in between are counted as they were seen last.
  const timer = setInterval(look, SAMPLE_MS);
  return {
    stop: () => {
      clearInterval(timer);
      look();
      const after = partsOf([...seen.values()]);
      return Object.fromEntries(Object.keys(after).map((part) => [part, after[part] - before[part]]));
    },
  };
}
