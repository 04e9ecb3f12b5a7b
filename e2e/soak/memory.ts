/** What a tab holds when nothing is going on: what is kept after collecting garbage, and what its processes have resident. */
import { readdirSync, readFileSync } from 'node:fs';
import type { CDPSession, Page } from '@playwright/test';

export interface Footprint {
  /** Bytes that the page keeps, and its worker: see `keptIn`. */
  readonly page: number;
  readonly worker: number;
  /** Bytes in use in the heaps of both, with compiled code and what the browser and its inspector keep there. */
  readonly heaps: number;
  /** Bytes resident; null where the system does not tell. */
  readonly renderer: number | null;
  readonly gpuProcess: number | null;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
}

/** The page itself, or one of its workers. */
interface Target {
  send(method: string, params?: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** Hears of the parts of a snapshot. */
  onChunk: (chunk: string) => void;
}

interface Snapshot {
  readonly snapshot: { readonly meta: { readonly node_fields: readonly string[]; readonly node_types: readonly [readonly string[], ...unknown[]] } };
  readonly nodes: readonly number[];
  readonly strings: readonly string[];
}

/** The page and every dedicated worker that it has or will have. */
export class Heaps {
  private readonly workers = new Map<string, Target>();
  private readonly waiting = new Map<number, (result: unknown) => void>();
  private id = 1;
  private readonly page: Target;

  private constructor(session: CDPSession) {
    const page: Target = { send: (method, params) => session.send(method as 'HeapProfiler.enable', params as never), onChunk: () => {} };
    this.page = page;
    session.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => page.onChunk(chunk));
    session.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
      if (targetInfo.type === 'worker') this.workers.set(sessionId, { send: (method, params) => this.ask(session, sessionId, method, params), onChunk: () => {} });
    });
    session.on('Target.detachedFromTarget', ({ sessionId }) => this.workers.delete(sessionId));
    session.on('Target.receivedMessageFromTarget', ({ sessionId, message }) => {
      const { id, method, params, result } = JSON.parse(message) as Message;
      if (id !== undefined) this.waiting.get(id)?.(result);
      if (method === 'HeapProfiler.addHeapSnapshotChunk') this.workers.get(sessionId)?.onChunk((params as { chunk: string }).chunk);
    });
  }

  static async of(page: Page): Promise<Heaps> {
    const session = await page.context().newCDPSession(page);
    const heaps = new Heaps(session);
    await session.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
    return heaps;
  }

  async footprint(): Promise<Footprint> {
    const targets = [this.page, ...this.workers.values()];
    // Twice: finalisers of the first free what the second finds.
    for (let i = 0; i < 2; i++) for (const target of targets) await target.send('HeapProfiler.collectGarbage');
    let heaps = 0;
    const kept: number[] = [];
    for (const target of targets) {
      const { usedSize, backingStorageSize = 0 } = (await target.send('Runtime.getHeapUsage')) as { usedSize: number; backingStorageSize?: number };
      heaps += usedSize + backingStorageSize;
      kept.push(await keptIn(target));
    }
    const [page, ...workers] = kept as [number, ...number[]];
    return { page, worker: workers.reduce((sum, bytes) => sum + bytes, 0), heaps, renderer: residentOf('renderer'), gpuProcess: residentOf('gpu-process') };
  }

  private ask(session: CDPSession, sessionId: string, method: string, params: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const id = this.id++;
    const answered = new Promise<unknown>((resolve) => {
      this.waiting.set(id, (result) => {
        this.waiting.delete(id);
        resolve(result);
      });
    });
    return session.send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify({ id, method, params }) }).then(() => answered);
  }
}

/** Types of nodes of a heap snapshot that a program makes. */
const OWN_TYPES = new Set(['object', 'array', 'closure', 'string', 'concatenated string', 'sliced string', 'number', 'bigint', 'regexp', 'symbol']);
/** And what the browser has for it: bytes of buffers, elements of the page, those taken out of it as well. */
const OWN_NATIVES = /^(system \/ JSArrayBufferData|(Detached )?<.*)$/;

/**
 * Bytes of objects, arrays, closures, strings, buffers and elements. Not of compiled code, which grows for as long as something runs
 * for the first time or often enough to be compiled again, and not of the timings, requests and files that the browser and the
 * inspector behind these tests note down.
 */
async function keptIn(target: Target): Promise<number> {
  const chunks: string[] = [];
  target.onChunk = (chunk) => void chunks.push(chunk);
  await target.send('HeapProfiler.enable');
  await target.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
  // It would remember each of the objects it named.
  await target.send('HeapProfiler.disable');
  target.onChunk = () => {};
  const { snapshot, nodes, strings } = JSON.parse(chunks.join('')) as Snapshot;
  const { node_fields: fields, node_types: [types] } = snapshot.meta;
  const [type, name, size] = ['type', 'name', 'self_size'].map((field) => fields.indexOf(field)) as [number, number, number];
  let bytes = 0;
  for (let at = 0; at < nodes.length; at += fields.length) {
    const kind = types[nodes[at + type]!]!;
    if (OWN_TYPES.has(kind) || (kind === 'native' && OWN_NATIVES.test(strings[nodes[at + name]!]!))) bytes += nodes[at + size]!;
  }
  return bytes;
}

/** Bytes resident in the processes of one kind that descend from this one; null without /proc. */
function residentOf(kind: 'renderer' | 'gpu-process'): number | null {
  const field = (pid: string, name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  const isBelow = (pid: string): boolean => pid === String(process.pid) || (Number(pid) > 1 && isBelow(String(field(pid, 'PPid'))));
  let pids: string[];
  try {
    pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return null;
  }
  let bytes = 0;
  for (const pid of pids) {
    try {
      if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`--type=${kind}`) && isBelow(pid)) bytes += 1024 * field(pid, 'VmRSS');
    } catch {
      // It ended meanwhile.
    }
  }
  return bytes;
}
