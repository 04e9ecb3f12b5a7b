/** What every pass of one device shares. */
import { DeviceLostError, StudioError } from '../bytes/errors';
import { Watchdog } from '../bytes/watchdog';
import { Memory } from './memory';
import { Pace } from './pace';
import type { AdapterTraits, Overrides } from './pipelines';
import { Pipelines } from './pipelines';
import { Recording, WORK_BYTES } from './recording';

/**
 * Milliseconds that a map may take: what is submitted before it is work of a second on a graphics card, and of a minute on a software
 * adapter that shares its cores. A device that has not answered by then does not: it counts as lost.
 */
const MAP_MS = 180_000;

export class Context {
  readonly memory: Memory;
  readonly pipelines: Pipelines;
  /** Selections from a bracket, and how many of them missed. */
  readonly brackets = { tried: 0, missed: 0 };
  private readonly work: GPUBuffer;
  private lost: GPUDeviceLostInfo | null = null;

  constructor(
    readonly device: GPUDevice,
    traits: AdapterTraits,
    readonly pace = new Pace(),
    /** Tensors whose first chunk has fewer blocks are not worth a sample (bracket.ts). */
    readonly bracketBlocks = 32,
    private readonly watchdog = new Watchdog(),
  ) {
    this.memory = new Memory(device);
    this.pipelines = Pipelines.of(device, traits);
    this.work = device.createBuffer({
      label: 'work',
      size: WORK_BYTES,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    void device.lost.then((info) => {
      this.lost = info;
    });
  }

  record(label: string): Recording {
    return new Recording(this.device, this.work, this.pace, label);
  }

  /**
   * Bytes [0, size) of each source, once all work submitted so far is done. Only a successful map proves that a device
   * was not lost (faults.md, WebGPU facts). The arrays are the caller's.
   */
  async readBack(sources: readonly { readonly buffer: GPUBuffer; readonly size: number }[]): Promise<Uint8Array<ArrayBuffer>[]> {
    const offsets: number[] = [];
    let total = 0;
    for (const { size } of sources) {
      offsets.push(total);
      total += Math.ceil(size / 16) * 16;
    }
    const staging = await this.memory.borrow('readback', Math.max(total, 16), GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
    try {
      const encoder = this.device.createCommandEncoder({ label: 'readback' });
      sources.forEach(({ buffer, size }, i) => {
        if (size > 0) encoder.copyBufferToBuffer(buffer, 0, staging, offsets[i]!, Math.ceil(size / 4) * 4);
      });
      this.device.queue.submit([encoder.finish()]);
      await this.mapped(staging.mapAsync(GPUMapMode.READ, 0, Math.max(total, 16)));
      const all = staging.getMappedRange(0, Math.max(total, 16));
      const copies = sources.map(({ size }, i) => new Uint8Array(all.slice(offsets[i], offsets[i]! + size)));
      staging.unmap();
      return copies;
    } finally {
      this.memory.release(staging);
    }
  }

  private async mapped(map: Promise<undefined>): Promise<void> {
    const fault = (seconds: number) => new DeviceLostError('unresponsive', `the GPU did not answer for ${seconds} seconds`);
    try {
      await this.watchdog.over({ limitMs: MAP_MS, fault }, () => map);
    } catch (error) {
      if (error instanceof DeviceLostError) throw error;
      throw (await this.loss()) ?? new StudioError('internal', 'map-failed', `reading back from the GPU failed: ${String(error)}`, {}, { cause: error });
    }
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
    return info && new DeviceLostError(info.reason || 'unknown', `the GPU device was lost: ${info.message}`);
  }

  dispose(): void {
    this.memory.dispose();
    this.work.destroy();
  }
}

export type { Overrides };
