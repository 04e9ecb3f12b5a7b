/** A worker, files and a clock that do what a test says, when it says so. */
import { SourceChangedError, StudioError } from '../../../src/bytes/errors';
import type { Checkpoint } from '../../../src/checkpoint/types';
import { emptyFigures } from '../../../src/merge/figures';
import { createController, type Controller } from '../../../src/state/controller';
import type { ClockPort, FilePort, WorkerPort } from '../../../src/state/ports';
import { createStudioStore, type StudioStore } from '../../../src/state/store';
import type { KeptRoot, MergeProgress, PickedFolder, PlanSummary, Reply, RequestName, RequestPayload, SampleInfo, TensorFigures, WorkerEvent } from '../../../src/worker/protocol';

export function checkpoint(name: string, tensors: Checkpoint['tensors'] = []): Checkpoint {
  return {
    id: `id:${name}`,
    name,
    path: name,
    shards: [{ file: { id: `f:${name}`, path: `${name}/model.safetensors`, size: 100, modified: 0 }, headerBytes: 10, metadata: {} }],
    tensors,
    sidecars: [],
    config: {},
    parameters: tensors.reduce((sum, { elements }) => sum + elements, 0),
    bytes: 100,
    fingerprint: name,
  };
}

export interface Asked<N extends RequestName = RequestName> {
  readonly name: N;
  readonly payload: RequestPayload<N>;
  resolve(reply: Reply<N>): void;
  reject(error: unknown): void;
}

export class FakeWorker implements WorkerPort {
  readonly asked: Asked[] = [];
  private readonly listeners: ((event: WorkerEvent) => void)[] = [];

  request<N extends RequestName>(name: N, payload: RequestPayload<N>): Promise<Reply<N>> {
    return new Promise<Reply<N>>((resolve, reject) => {
      this.asked.push({ name, payload, resolve, reject } as unknown as Asked);
    });
  }
  restarts = 0;
  private mourn: (error: StudioError) => void = () => {};
  onDeath(listener: (error: StudioError) => void): void {
    this.mourn = listener;
  }
  restart(): void {
    this.restarts++;
  }
  /** Everything that is asked rejects. */
  die(): void {
    const error = new StudioError('internal', 'worker-died', 'the worker died: test', { actual: 'test' });
    for (const { reject } of this.asked) reject(error);
    this.mourn(error);
  }
  subscribe(listener: (event: WorkerEvent) => void): void {
    this.listeners.push(listener);
  }
  emit(event: WorkerEvent): void {
    for (const listener of this.listeners) listener(event);
  }
  of<N extends RequestName>(name: N): Asked<N>[] {
    return this.asked.filter((one) => one.name === name) as unknown as Asked<N>[];
  }
  last<N extends RequestName>(name: N): Asked<N> {
    const one = this.of(name).at(-1);
    if (one === undefined) throw new Error(`no request ${name} was made`);
    return one;
  }
}

/** Time stands still until a test moves it. */
export class FakeClock implements ClockPort {
  private time = 0;
  private timers: { at: number; run: () => void }[] = [];
  private frames: (() => void)[] = [];

  now(): number {
    return this.time;
  }
  frame(run: () => void): void {
    this.frames.push(run);
  }
  later(milliseconds: number, run: () => void): () => void {
    const timer = { at: this.time + milliseconds, run };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((one) => one !== timer);
    };
  }
  paint(): void {
    for (const run of this.frames.splice(0)) run();
  }
  pass(milliseconds: number): void {
    this.time += milliseconds;
    const due = this.timers.filter(({ at }) => at <= this.time);
    this.timers = this.timers.filter(({ at }) => at > this.time);
    for (const { run } of due) run();
  }
}

export interface Studio {
  readonly store: StudioStore;
  readonly controller: Controller;
  readonly worker: FakeWorker;
  readonly clock: FakeClock;
  /** What the pickers give next. */
  readonly picks: { folder: PickedFolder | null | Error; saved: string[]; kept: KeptRoot[]; refused: string[] };
}

export function studio(): Studio {
  const store = createStudioStore();
  const worker = new FakeWorker();
  const clock = new FakeClock();
  const picks: Studio['picks'] = { folder: null, saved: [], kept: [], refused: [] };
  const files: FilePort = {
    dropped: async (transfer) => transfer as never,
    chooseFiles: async () => [],
    chooseFolder: async () => [],
    chooseDestination: async () => {
      if (picks.folder instanceof Error) throw picks.folder;
      return picks.folder;
    },
    save: (name) => void picks.saved.push(name),
    kept: {
      list: async () => [...picks.kept],
      keep: async (root, checkpoints) => {
        const { name } = root as { name: string };
        picks.kept = [{ key: picks.kept.length + 1, name, session: 1, checkpoints }, ...picks.kept.filter((one) => one.name !== name)];
        return [...picks.kept];
      },
      forget: async (id) => {
        picks.kept = picks.kept.flatMap((one) => (one.checkpoints.every((own) => own.id === id) ? [] : [{ ...one, checkpoints: one.checkpoints.filter((own) => own.id !== id) }]));
        return [...picks.kept];
      },
      forgetRoot: async (key) => (picks.kept = picks.kept.filter((one) => one.key !== key)),
      pick: async (key) => {
        const { name } = picks.kept.find((one) => one.key === key)!;
        if (picks.refused.includes(name)) throw new SourceChangedError('permission', 'refused', { file: name });
        return [{ path: `${name}/model.safetensors`, handle: null, root: { name } }];
      },
    },
    sampleUrl: 'sample/',
  };
  return { store, worker, clock, picks, controller: createController(store, worker, files, clock) };
}

/** Lets every promise that can settle do so. */
export const settle = () => new Promise<void>((resolve) => setTimeout(resolve));

/** Opens checkpoints of these names. */
export async function opened(one: Studio, ...names: string[]): Promise<void> {
  void one.controller.drop([{ path: 'x', handle: null }]);
  await settle();
  one.worker.last('open').resolve({ checkpoints: names.map((name) => checkpoint(name)), problems: [], ignored: [], results: [] });
  await settle();
}

export function figuresOf(tensor: string, conflict: number, exact = false): TensorFigures {
  return { tensor, elements: 100, exact, thresholds: [null, null], spread: null, figures: { ...emptyFigures(2), numel: 100, conflict } };
}

export const PLAN: PlanSummary = { tensors: 3, parameters: 30, shards: [], bytesRead: 60, bytesWritten: 20, peakBytes: 80, rankingReadings: 0, notes: [], issues: [], refusals: [] };

export const PROGRESS: MergeProgress = {
  phase: 'reading',
  tensorsDone: 1,
  tensors: 3,
  bytesRead: 20,
  bytesReadTotal: 60,
  bytesWritten: 5,
  bytesWrittenTotal: 20,
  bytesVerified: 0,
  readingMs: 900,
  computingMs: 300,
  writingMs: 600,
  elapsedMs: 2000,
};

export const SAMPLE: SampleInfo = { values: 50, of: 100, bytes: 300, reads: 9, settled: true };
