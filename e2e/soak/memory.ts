/** What a tab holds when nothing is going on: its heaps after collecting garbage, and what its processes have resident. */
import { readdirSync, readFileSync } from 'node:fs';
import type { CDPSession, Page } from '@playwright/test';

export interface Footprint {
  /** Bytes in use after collecting garbage, buffers included: of the page, and of its workers together. */
  readonly pageHeap: number;
  readonly workerHeap: number;
  readonly workers: number;
  /** Bytes resident; null where the system does not tell. */
  readonly renderer: number | null;
  readonly gpuProcess: number | null;
}

interface Answer {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly sessionId: string; readonly targetInfo: { readonly type: string } };
  readonly result?: { readonly usedSize: number; readonly backingStorageSize?: number };
}

/** Sessions of the page and of every dedicated worker that it has or will have. */
export class Heaps {
  private readonly workers = new Set<string>();
  private readonly waiting = new Map<number, (result: NonNullable<Answer['result']>) => void>();
  private id = 1;

  private constructor(private readonly session: CDPSession) {
    session.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
      if (targetInfo.type === 'worker') this.workers.add(sessionId);
    });
    session.on('Target.detachedFromTarget', ({ sessionId }) => this.workers.delete(sessionId));
    session.on('Target.receivedMessageFromTarget', ({ message }) => {
      const { id, result } = JSON.parse(message) as Answer;
      if (id !== undefined) this.waiting.get(id)?.(result ?? { usedSize: 0 });
    });
  }

  static async of(page: Page): Promise<Heaps> {
    const heaps = new Heaps(await page.context().newCDPSession(page));
    await heaps.session.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
    return heaps;
  }

  /** Garbage is collected twice: finalisers of the first free what the second finds. */
  async footprint(): Promise<Footprint> {
    for (let i = 0; i < 2; i++) {
      await this.session.send('HeapProfiler.collectGarbage');
      for (const worker of this.workers) await this.ask(worker, 'HeapProfiler.collectGarbage');
    }
    const page = (await this.session.send('Runtime.getHeapUsage')) as NonNullable<Answer['result']>;
    let workerHeap = 0;
    for (const worker of this.workers) workerHeap += used(await this.ask(worker, 'Runtime.getHeapUsage'));
    return { pageHeap: used(page), workerHeap, workers: this.workers.size, renderer: residentOf('renderer'), gpuProcess: residentOf('gpu-process') };
  }

  private ask(sessionId: string, method: string): Promise<NonNullable<Answer['result']>> {
    const id = this.id++;
    const answered = new Promise<NonNullable<Answer['result']>>((resolve) => {
      this.waiting.set(id, (result) => {
        this.waiting.delete(id);
        resolve(result);
      });
    });
    return this.session.send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify({ id, method }) }).then(() => answered);
  }
}

const used = ({ usedSize, backingStorageSize = 0 }: NonNullable<Answer['result']>) => usedSize + backingStorageSize;

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
