/** The samples that are held or being read: the one on the screen, and the latest others within a budget of memory. */
import { asStudioError } from '../bytes/errors';
import type { Checkpoint } from '../checkpoint/types';
import type { Backend } from '../merge/backend';
import type { FitChoices } from '../merge/plan-types';
import type { OpenShard } from '../merge/reading';
import { planSample, sampleKey } from '../merge/sample';
import type { SampleOptions, SamplePlan } from '../merge/sample';
import { readSample } from '../merge/sample-reading';
import { formOnHost } from '../cpu/forming';
import type { Recipe } from '../recipe/types';
import { checkpointsOf } from '../compose/export-input';
import type { Rated } from './rating';
import { NOTHING, Sample } from './sample';
import type { Sizing, Speed } from './sizing';

/** What is asked about; `open` are all open checkpoints. */
export interface Question {
  readonly open: readonly Checkpoint[];
  readonly recipe: Recipe;
  readonly choices: FitChoices;
}

/** Below this a sample of a large model says little, and a device that cannot hold it cannot merge either. */
const LEAST_VALUES = 1e5;

/** Of one sampleKey on one backend. */
export interface Entry {
  readonly key: string;
  readonly backend: Backend;
  /** Ids of the checkpoints it was read from. */
  readonly checkpoints: ReadonlySet<string>;
  /** The finest sample there is. */
  best: Loading;
  /** One that is being read to take its place. */
  finer: Loading | null;
  isRefining: boolean;
  /** Nothing finer will come. */
  isSettled: boolean;
  /** What was last measured on it. */
  rated: Rated | null;
}

interface Loading {
  readonly sample: Promise<Sample>;
  /** Null until it is there. */
  held: Sample | null;
  readonly controller: AbortController;
  /** Set when somebody at the screen waits for it: from then on it does not give way. */
  hurry(): void;
}

interface Planned {
  readonly size: SampleOptions;
  readonly plan: SamplePlan;
}

export class Samples {
  /** The least recently used first. */
  private entries: Entry[] = [];
  private onScreen: Entry | null = null;

  /** `giveWay` resolves when nothing more urgent than a background reading is under way. */
  constructor(
    private readonly openShard: OpenShard,
    private readonly sizing: Sizing,
    private readonly giveWay: () => Promise<void>,
  ) {}

  /**
   * The sample of a question, a coarse one read if there is none: at once when it is for the screen, else giving way. Throws as
   * `planSample` does.
   */
  open(backend: Backend, question: Question, isForScreen: boolean): Entry {
    this.dropOtherBackends(backend);
    const key = sampleKey(question.recipe, question.choices);
    const known = this.entries.find((entry) => entry.key === key);
    const entry = known ?? this.start(backend, key, question);
    this.entries = [...this.entries.filter((other) => other !== entry), entry];
    if (isForScreen) {
      this.onScreen = entry;
      entry.best.hurry();
    }
    this.evict();
    return entry;
  }

  /** Reads a finer sample and puts it in the place of the present one. Rejects as reading and holding do; the present one stays. */
  async refine(entry: Entry, question: Question, speed: Speed): Promise<void> {
    const finer = this.load(entry.backend, question, [this.sizing.refined(entry.backend.info.kind, speed)]);
    entry.finer = finer;
    try {
      await finer.sample;
    } finally {
      entry.finer = null;
    }
    if (!this.entries.includes(entry)) return abandon(finer);
    abandon(entry.best);
    entry.best = finer;
    this.evict();
  }

  /** Lets go of all that was read from a checkpoint. */
  forget(checkpoint: string): void {
    for (const entry of this.entries) if (entry.checkpoints.has(checkpoint)) this.drop(entry);
  }

  drop(entry: Entry): void {
    this.entries = this.entries.filter((other) => other !== entry);
    if (this.onScreen === entry) this.onScreen = null;
    abandon(entry.best);
    if (entry.finer) abandon(entry.finer);
  }

  private start(backend: Backend, key: string, question: Question): Entry {
    const checkpoints = new Set(checkpointsOf(question.recipe, question.open).map(({ id }) => id));
    const entry: Entry = { key, backend, checkpoints, best: this.load(backend, question, [this.sizing.whole, this.sizing.coarse]), finer: null, isRefining: false, isSettled: false, rated: null };
    entry.best.sample.then(
      ({ isWhole }) => {
        entry.isSettled ||= isWhole;
        this.evict();
      },
      () => this.drop(entry),
    );
    return entry;
  }

  /** The first of `sizes` that holds everything, else the last. Planned before this returns, so that what is wrong with a question is thrown. */
  private load(backend: Backend, question: Question, sizes: readonly [SampleOptions, ...SampleOptions[]]): Loading {
    const controller = new AbortController();
    let hurry = () => {};
    const urgent = new Promise<void>((resolve) => (hurry = resolve));
    const ready = () => Promise.race([urgent, this.giveWay()]);
    const [size, ...smaller] = sizes;
    let planned: Planned = { size, plan: planWithin(question, size, backend) };
    for (const next of smaller) if (!planned.plan.whole.every(Boolean)) planned = { size: next, plan: planWithin(question, next, backend) };
    const sample = this.hold(backend, question, planned, controller.signal, ready);
    const loading: Loading = { sample, held: null, controller, hurry };
    // A failure is met by whoever waits for the sample.
    sample.then((held) => (loading.held = held), () => {});
    return loading;
  }

  /** Halves the sample until it fits, after others were let go of. */
  private async hold(backend: Backend, question: Question, first: Planned, signal: AbortSignal, ready: () => Promise<void>): Promise<Sample> {
    for (let { plan, size } = first; ; ) {
      if (plan.names.length === 0) return new Sample(plan, NOTHING);
      try {
        // A sample is thousands of small blocks: on a GPU each would wait for its answer. The bits are the same.
        const read = await readSample(plan, this.openShard, signal, ready, formOnHost);
        return new Sample(plan, await backend.hold(plan.group, read));
      } catch (error) {
        if (asStudioError(error).code !== 'out-of-memory') throw error;
        if (this.evictOne()) continue;
        if (size.values <= LEAST_VALUES) throw error;
        size = { ...size, bytes: Math.min(size.bytes, plan.bytes) / 2, values: size.values / 2 };
        plan = planWithin(question, size, backend);
      }
    }
  }

  private evict(): void {
    let values = 0;
    for (const entry of this.entries.toReversed()) {
      if (entry === this.onScreen) continue;
      values += entry.best.held?.inputValues ?? 0;
      if (entry.best.held && values > this.sizing.others) this.drop(entry);
    }
  }

  /** Lets go of the least recently used sample that is not on the screen; false when there is none. */
  private evictOne(): boolean {
    const oldest = this.entries.find((entry) => entry !== this.onScreen && entry.best.held !== null);
    if (oldest) this.drop(oldest);
    return oldest !== undefined;
  }

  /** What another backend holds went with it, or will not be asked for again. */
  private dropOtherBackends(backend: Backend): void {
    for (const entry of this.entries) if (entry.backend !== backend) this.drop(entry);
  }
}

function abandon(loading: Loading): void {
  loading.controller.abort();
  loading.sample.then((sample) => sample.release()).catch(() => {});
}

function planWithin({ open, recipe, choices }: Question, size: SampleOptions, { chunkBytes }: Backend): SamplePlan {
  return planSample(open, recipe, choices, { ...size, bytes: Math.min(size.bytes, chunkBytes) });
}
