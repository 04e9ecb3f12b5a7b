/** What every pass of one device shares. */
import { BufferRing } from '../bytes/buffer-ring';
import { DeviceLostError, StudioError } from '../bytes/errors';
import { Watchdog } from '../bytes/watchdog';
import { Ledger } from './ledger';
import type { Loan } from './memory';
import { Memory } from './memory';
import { COUNTERS, type Mark, Pace } from './pace';
import type { AdapterTraits, Overrides } from './pipelines';
import { Pipelines } from './pipelines';
import { Recording, WORK_BYTES } from './recording';
import { Uploads } from './uploads';
import { READBACK, STORAGE } from './usage';

/** Bytes [0, size) of a buffer. */
export interface Extract {
  readonly buffer: GPUBuffer;
  readonly size: number;
}
/** Copies that a recording was given, to be read once it is submitted. */
export interface Staged {
  /** The bytes of each extract, the caller's to keep. Once. */
  read(): Promise<Uint8Array<ArrayBuffer>[]>;
}

export interface ContextOptions {
  readonly pace?: Pace;
  /** Tensors whose first chunk has fewer blocks are not worth a sample (bracket.ts). */
  readonly bracketBlocks?: number | undefined;
  /** Bytes that all device buffers together may take. */
  readonly bufferBytes?: number;
  /** Bytes that the lists of a bracket may take, all lanes together: no more than one binding. */
  readonly listBytes?: number;
  /** Of maps that never settle. */
  readonly watchdog?: Watchdog;
  /** Of buffers for inputs that may lie idle. */
  readonly spareBytes?: number;
  /** Of a staging buffer (uploads.ts). */
  readonly uploadBytes?: number | undefined;
}

/**
 * Milliseconds that a map may take: what is submitted before it is work of a second on a graphics card, and of a minute on a software
 * adapter that shares its cores. A device that has not answered by then does not: it counts as lost.
 */
const MAP_MS = 180_000;
/** Milliseconds that calls which were aborted have to end in before the next one; they take no more work than they had submitted. */
const ABORTED_MS = 10_000;

export class Context {
  readonly memory: Memory;
  readonly pipelines: Pipelines;
  readonly ledger = new Ledger();
  readonly uploads: Uploads;
  /** What inputs are read into, and given back to once they are uploaded. */
  readonly inputs: BufferRing;
  readonly bracketBlocks: number;
  /** Halved with the chunks where the device has no room (room.ts). */
  listBytes: number;
  private readonly pace: Pace;
  private readonly watchdog: Watchdog;
  private readonly work: GPUBuffer;
  /** Zero at first, as every new buffer is. */
  private readonly counters: GPUBuffer;
  private lost: GPUDeviceLostInfo | null = null;
  /** Calls under way. */
  private readonly calls = new Set<{ readonly signal: AbortSignal | undefined; readonly ended: Promise<unknown> }>();
  /** What the device said when it refused a command: a submission with it was dropped as a whole, and no map tells. */
  private refusal: string | null = null;
  private readonly onRefusal = ({ error }: GPUUncapturedErrorEvent): void => {
    this.refusal ??= error.message;
  };

  constructor(
    readonly device: GPUDevice,
    traits: AdapterTraits,
    { pace = new Pace(), bracketBlocks = 32, bufferBytes = Infinity, listBytes = device.limits.maxStorageBufferBindingSize, watchdog = new Watchdog(), spareBytes = 0, uploadBytes }: ContextOptions = {},
  ) {
    this.pace = pace;
    this.bracketBlocks = bracketBlocks;
    this.listBytes = listBytes;
    this.watchdog = watchdog;
    this.inputs = new BufferRing(spareBytes);
    this.memory = new Memory(device, bufferBytes);
    this.uploads = new Uploads(device, this.memory, this.ledger, pace, (map) => this.mapped(map), uploadBytes);
    this.pipelines = Pipelines.of(device, traits);
    this.work = device.createBuffer({
      label: 'work',
      size: WORK_BYTES,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    this.counters = device.createBuffer({ label: 'repair counters', size: 4 * COUNTERS, usage: STORAGE });
    device.addEventListener('uncapturederror', this.onRefusal);
    void device.lost.then((info) => {
      this.lost = info;
    });
  }

  record(label: string): Recording {
    return new Recording(this.device, this.work, this.counters, this.pace, this.ledger, label);
  }

  /** What `stage` and its `read` give, in a submission of its own. */
  async readBack(extracts: readonly Extract[]): Promise<Uint8Array<ArrayBuffer>[]> {
    const loan = this.memory.loan();
    try {
      const recording = this.record('readback');
      const staged = await this.stage(recording, extracts, loan);
      recording.submit();
      return await staged.read();
    } finally {
      loan.release();
    }
  }

  /**
   * Records copies of these extracts into a buffer for reading, which is lent until it was read. Only a successful map proves that
   * a device was not lost (faults.md, WebGPU facts).
   */
  async stage(recording: Recording, wanted: readonly Extract[], loan: Loan): Promise<Staged> {
    const extracts = [...wanted, { buffer: this.counters, size: 4 * COUNTERS }];
    const offsets: number[] = [];
    let end = 0;
    for (const { size } of extracts) {
      offsets.push(end);
      end += Math.ceil(size / 16) * 16;
    }
    const total = Math.max(end, 16);
    const staging = await loan.borrow('readback', total, READBACK);
    extracts.forEach(({ buffer, size }, i) => {
      if (size > 0) recording.copy(buffer, 0, staging, offsets[i]!, Math.ceil(size / 4) * 4);
    });
    let mark: Mark = new Map();
    recording.onceSent(() => (mark = this.pace.mark()));
    return {
      read: async () => {
        await this.mapped(staging.mapAsync(GPUMapMode.READ, 0, total));
        const all = staging.getMappedRange(0, total);
        const copies = extracts.map(({ size }, i) => new Uint8Array(all.slice(offsets[i], offsets[i]! + size)));
        staging.unmap();
        loan.giveBack(staging);
        const counters = new Uint32Array(copies.pop()!.buffer);
        this.pace.counted(counters, mark);
        this.ledger.repairedBlocks = Math.max(this.ledger.repairedBlocks, counters.reduce((sum, count) => sum + count, 0));
        return copies;
      },
    };
  }

  private async mapped(map: Promise<undefined>): Promise<void> {
    try {
      await this.watchdog.over({ limitMs: MAP_MS, fault: silent }, () => map);
    } catch (error) {
      if (error instanceof DeviceLostError) throw error;
      throw (await this.loss()) ?? new StudioError('internal', 'map-failed', `reading back from the GPU failed: ${String(error)}`, {}, { cause: error });
    }
    // Of what was submitted before, errors come before the map does.
    if (this.refusal !== null) throw new DeviceLostError('refused', `the GPU refused work: ${this.refusal}`, { actual: this.refusal });
  }

  /** What `act` gives, known as under way until then: once `signal` is aborted, nobody may wait for it any more. */
  async call<T>(signal: AbortSignal | undefined, act: () => Promise<T>): Promise<T> {
    const acting = act();
    const own = { signal, ended: acting.catch(() => {}) };
    this.calls.add(own);
    try {
      return await acting;
    } finally {
      this.calls.delete(own);
    }
  }

  /**
   * Resolves when every call that was aborted has ended. Throws DeviceLostError `unresponsive` where one does not: its map may never
   * settle, and what is submitted behind it may never be done.
   */
  async answering(): Promise<void> {
    const aborted = [...this.calls].flatMap(({ signal, ended }) => (signal?.aborted ? [ended] : []));
    if (aborted.length > 0) await this.watchdog.over({ limitMs: ABORTED_MS, fault: silent }, () => Promise.all(aborted));
  }

  /**
   * What `act` gives. Where it fails on a device that is lost, the loss is why: when the GPU process ends, whatever is waited for
   * rejects in words of its own (of an error scope: OperationError "Instance dropped").
   */
  async losing<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      const isNamed = error instanceof StudioError && error.code !== 'internal' && error.code !== 'out-of-memory';
      throw (isNamed ? null : await this.loss()) ?? error;
    }
  }

  /** Null while the device is there. What is waited for may reject before `lost` resolves. */
  private async loss(): Promise<DeviceLostError | null> {
    const info = this.lost ?? (await Promise.race([this.device.lost, new Promise<null>((done) => setTimeout(done, 200, null))]));
    return info && new DeviceLostError(info.reason || 'unknown', `the GPU device was lost: ${info.message}`, info.message ? { actual: info.message } : {});
  }

  dispose(): void {
    this.device.removeEventListener('uncapturederror', this.onRefusal);
    this.memory.dispose();
    this.work.destroy();
    this.counters.destroy();
  }
}

function silent(seconds: number): DeviceLostError {
  return new DeviceLostError('unresponsive', `the GPU did not answer for ${seconds} seconds`, { actual: seconds });
}

export type { Overrides };
