/** Runs the studio's worker as its page does; bench/pipeline.mjs drives it. */
import type { Recipe } from '../../src/recipe/types';
import { DEFAULT_CHOICES } from '../../src/merge/plan-types';
import { WorkerClient } from '../../src/worker/client';
import type { BackendChoice, MergeProgress } from '../../src/worker/protocol';
import { spawnModule } from '../../src/worker/spawn';
import type { Copied } from '../raw-copy';
import { measuredRecipe, MEASURED_SHARD_BYTES } from '../recipe';
import type { Answer, Ask, Ledger, Reads } from './messages';
import workerScript from './worker?worker&url';

const MODELS = ['base', 'sft', 'ct'] as const;

export interface Merged {
  readonly backend: string;
  readonly parameters: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** What the plan says a run holds at most. */
  readonly plannedPeakBytes: number;
  /** Until every file is final, and with every file read again and found to be what was written. */
  readonly seconds: number;
  readonly verifiedSeconds: number;
  /** Time in which at least one read (write) was under way, and in which the backend neither waited for bytes nor for room. */
  readonly readingSeconds: number;
  readonly computingSeconds: number;
  readonly writingSeconds: number;
  readonly verified: number;
  readonly tensors: number;
}

class Studio {
  private readonly worker = spawnModule(workerScript, '');
  private readonly client = new WorkerClient(() => ({ worker: this.worker, isDead: () => new Promise(() => {}) }));
  private recipe: Recipe | null = null;

  /** Starts a backend and opens what the inputs hold. Resolves to the backend's label. */
  async start(choice: BackendChoice): Promise<string> {
    const { info } = await this.client.request('start', { choice });
    const files = MODELS.flatMap((model) => filesOf(model).map((file) => ({ path: `${model}/${file.name}`, handle: file })));
    const { checkpoints, problems } = await this.client.request('open', { files });
    if (problems.length > 0) throw new Error(JSON.stringify(problems));
    const idOf = (model: string) => checkpoints.find(({ path }) => path === model)!.id;
    this.recipe = measuredRecipe(idOf('base'), idOf('sft'), idOf('ct'));
    return info.label;
  }

  async copy(): Promise<Copied> {
    const answer = await this.ask({ ask: 'copy', models: MODELS.map((model) => filesOf(model).filter(({ name }) => name.endsWith('.safetensors'))) });
    if (answer.answer !== 'copy') throw new Error(JSON.stringify(answer));
    return answer.copied;
  }

  /** Merges into private storage. */
  async merge(): Promise<Merged> {
    const ask = { recipe: this.recipe!, choices: DEFAULT_CHOICES, shardBytes: MEASURED_SHARD_BYTES };
    await this.reads();
    const { parameters, peakBytes } = await this.client.request('plan', ask);
    let merged: MergeProgress | null = null;
    const stop = this.client.subscribe((event) => {
      // The first that tells of verification tells when everything was final, to the tenth of a second between two events.
      if (event.event === 'progress' && merged?.phase !== 'verifying') merged = event.progress;
    });
    const summary = await this.client.request('merge', { ...ask, destination: null, replace: false });
    stop();
    const { bytesRead, bytesWritten, elapsedMs, readingMs, computingMs, writingMs } = merged!;
    return {
      backend: summary.backend.label,
      parameters,
      bytesRead,
      bytesWritten,
      plannedPeakBytes: peakBytes,
      seconds: elapsedMs / 1000,
      verifiedSeconds: summary.seconds,
      readingSeconds: readingMs / 1000,
      computingSeconds: computingMs / 1000,
      writingSeconds: writingMs / 1000,
      verified: summary.verified,
      tensors: summary.tensors,
    };
  }

  async ledger(): Promise<Ledger> {
    const answer = await this.ask({ ask: 'ledger' });
    return answer.answer === 'ledger' ? answer.peakBytes : null;
  }

  async reads(): Promise<Reads> {
    const answer = await this.ask({ ask: 'reads' });
    if (answer.answer !== 'reads') throw new Error(JSON.stringify(answer));
    return answer.reads;
  }

  private ask(ask: Ask): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const listen = ({ data }: MessageEvent<Partial<Answer>>) => {
        if (data.answer === undefined) return;
        this.worker.removeEventListener('message', listen);
        if (data.answer === 'failed') reject(new Error((data as Answer & { answer: 'failed' }).message));
        else resolve(data as Answer);
      };
      this.worker.addEventListener('message', listen);
      this.worker.postMessage(ask);
    });
  }
}

const filesOf = (model: string) => [...(document.getElementById(model) as HTMLInputElement).files!];

declare global {
  interface Window {
    studio: Studio;
  }
}
window.studio = new Studio();
