/** The backend in use, and what happens when its device is lost: a new device once, then the CPU (faults.md 27, 30, 31). */
import { asStudioError, OutOfMemoryError } from '../bytes/errors';
import type { StudioError } from '../bytes/errors';
import { Watchdog } from '../bytes/watchdog';
import type { AdapterFacts, Backend, BackendInfo } from '../merge/backend';
import type { BackendChoice, BackendReason, BackendReport, BackendSpeed } from './protocol';
import { serialised } from './serialised';

export interface StartedBackend {
  readonly backend: Backend;
  readonly selfTest: BackendReport['selfTest'];
  /** Of WebGPU. */
  readonly adapter?: AdapterFacts;
}
/** How backends are made; the composition root and tests bring their own. */
export interface BackendFactory {
  /** Rejects with GpuUnavailableError; `software-adapter` when WebGPU is only to be had on the CPU and that is not allowed. */
  webgpu(allowSoftware: boolean): Promise<StartedBackend>;
  cpu(): Backend;
  /** Computes again what `made` computed, on the CPU, by other code. */
  recheck(made: BackendInfo): Backend;
  /** Parameters a second; null when that cannot be told. */
  measure(backend: Backend): Promise<number | null>;
}

export class BackendHost {
  private running: StartedBackend | null = null;
  /** Starts and recoveries, one after the other. */
  private changes: Promise<unknown> = Promise.resolve();
  private hasRecovered = false;
  /** Of the backend in use. */
  private report: BackendReport | null = null;
  /** By kind and label. */
  private readonly measured = new Map<string, BackendSpeed>();

  /** `onChange` hears of every backend that replaces a lost one. */
  constructor(
    private readonly factory: BackendFactory,
    private readonly onChange: (report: BackendReport) => void,
    /** Of groups that are aborted; default one over real time. */
    private readonly watchdog = new Watchdog(),
  ) {}

  /** Of the backend in use; null before the first is started. */
  get info(): BackendInfo | null {
    return this.running?.backend.info ?? null;
  }

  /** Of the backend in use. */
  get buffers(): Backend['buffers'] {
    return this.running?.backend.buffers;
  }

  /** A backend for computing again what the one in use has computed. The caller disposes of it. */
  recheck(): Backend {
    if (!this.info) throw new Error('nothing has been computed');
    return this.factory.recheck(this.info);
  }

  /**
   * Replaces the backend. `auto`: on a real GPU the faster of WebGPU and the CPU, by a short measurement of both; else the CPU at
   * once, with the reason why: a software adapter does the same work on the same cores, and compiling for it would delay the
   * first charts. `webgpu`: on any adapter; rejects with the reason when there is none, and what was in use stays. What the user
   * asks for by name is measured too, so that the report can compare.
   */
  start(choice: BackendChoice): Promise<BackendReport> {
    return this.change(() => this.choose(choice));
  }

  /**
   * Measures the backend in use and the other kind, on whatever adapter there is, for the report to compare. What is in use
   * stays. Where WebGPU cannot be had the report says why.
   */
  calibrate(): Promise<BackendReport> {
    return this.change(async () => {
      if (this.running === null) await this.choose('auto');
      const { backend } = this.running!;
      let gpuProblem = this.report!.gpuProblem;
      await this.measure(backend);
      try {
        const other = backend.info.kind === 'cpu' ? await this.webgpu(true) : this.cpu();
        await this.measure(other.backend);
        other.backend.dispose();
      } catch (error) {
        gpuProblem ??= asStudioError(error).toWire();
      }
      return (this.report = { ...this.report!, gpuProblem, speeds: this.speeds() });
    });
  }

  /** Parameters a second of the backend in use, measured once; null where there is none, or it cannot be told. */
  throughput(): Promise<number | null> {
    return this.change(async () => {
      if (this.running === null) return null;
      const { backend } = this.running;
      return this.measured.get(keyOf(backend.info))?.parametersPerSecond ?? this.measure(backend);
    });
  }

  /**
   * Runs `act` on the backend in use (`auto` when none is). When the device is lost meanwhile, runs it again from its beginning
   * on the backend that takes over, and on the CPU where a device has no room for it and `mayLeave` says so; every other failure, the
   * lack of the host's own memory too, is the caller's.
   */
  async use<T>(act: (backend: Backend) => Promise<T>, mayLeave: () => boolean = () => false): Promise<T> {
    for (;;) {
      const running = this.running ?? (await this.change(async () => this.running ?? (await this.choose('auto'), this.running!)));
      try {
        return await act(running.backend);
      } catch (error) {
        const fault = asStudioError(error);
        if (fault.code === 'device-lost') await this.change(() => this.replace(running, fault));
        else if (isDeviceFull(fault) && running.backend.info.kind === 'webgpu' && mayLeave()) await this.change(async () => this.leave(running, fault));
        // The user chose another backend meanwhile, and this one was disposed of under `act`.
        else if (this.running === running || fault.code === 'cancelled') throw fault;
      }
    }
  }

  private async choose(choice: BackendChoice): Promise<BackendReport> {
    let next: StartedBackend;
    let gpuProblem: StudioError | null = null;
    let why: BackendReason = 'asked';
    try {
      next = choice === 'cpu' ? this.cpu() : await this.webgpu(choice === 'webgpu');
    } catch (error) {
      gpuProblem = asStudioError(error);
      if (choice === 'webgpu') throw gpuProblem;
      next = this.cpu();
    }
    if (choice !== 'auto') await this.measure(next.backend);
    else if (next.backend.info.kind === 'webgpu') [next, why] = await this.faster(next, this.cpu());
    else why = 'alone';
    this.hasRecovered = false;
    return this.adopt(next, gpuProblem?.toWire() ?? null, why);
  }

  /** Disposes of the slower one. The first stays where either cannot be measured. */
  private async faster(one: StartedBackend, other: StartedBackend): Promise<[StartedBackend, BackendReason]> {
    const [first, second] = [await this.measure(one.backend), await this.measure(other.backend)];
    const isMeasured = first !== null && second !== null;
    const [taken, left] = isMeasured && second > first ? [other, one] : [one, other];
    left.backend.dispose();
    return [taken, isMeasured ? 'faster' : 'unmeasured'];
  }

  private async measure(backend: Backend): Promise<number | null> {
    const { kind, label } = backend.info;
    const parametersPerSecond = await this.factory.measure(backend);
    if (parametersPerSecond !== null) this.measured.set(keyOf(backend.info), { kind, label, parametersPerSecond });
    return parametersPerSecond;
  }

  private async replace(lost: StartedBackend, fault: StudioError): Promise<void> {
    // Another request met the same loss first.
    if (this.running !== lost) return;
    let next: StartedBackend | null = null;
    if (!this.hasRecovered) {
      this.hasRecovered = true;
      // A device that holds less than the lost one could not carry on with chunks planned for it.
      next = await this.webgpu(lost.backend.info.software).catch(() => null);
      if (next && next.backend.chunkBytes < lost.backend.chunkBytes) {
        next.backend.dispose();
        next = null;
      }
    }
    this.onChange(this.adopt(next ?? this.cpu(), next ? null : fault.toWire(), 'instead'));
  }

  /** A device that has no room for what is asked of it: the CPU has. */
  private leave(full: StartedBackend, { message, where }: StudioError): void {
    if (this.running !== full) return;
    this.onChange(this.adopt(this.cpu(), new OutOfMemoryError('device-left', message, where).toWire(), 'no-room'));
  }

  private adopt(next: StartedBackend, gpuProblem: BackendReport['gpuProblem'], why: BackendReason): BackendReport {
    this.running?.backend.dispose();
    this.running = next;
    return (this.report = { info: next.backend.info, gpuProblem, selfTest: next.selfTest, ...(next.adapter ? { adapter: next.adapter } : {}), speeds: this.speeds(), why });
  }

  private speeds(): BackendSpeed[] {
    return [...this.measured.values()].sort((a, b) => b.parametersPerSecond - a.parametersPerSecond);
  }

  private async webgpu(allowSoftware: boolean): Promise<StartedBackend> {
    const { backend, ...found } = await this.factory.webgpu(allowSoftware);
    return { backend: serialised(backend, this.watchdog), ...found };
  }
  private cpu(): StartedBackend {
    return { backend: serialised(this.factory.cpu(), this.watchdog), selfTest: [] };
  }

  private change<T>(act: () => Promise<T>): Promise<T> {
    const result = this.changes.then(act);
    this.changes = result.catch(() => {});
    return result;
  }
}

const keyOf = ({ kind, label }: BackendInfo) => `${kind} ${label}`;

/** The other reason there may be no memory is that of the machine: the CPU needs as much of it. */
function isDeviceFull({ code, reason }: StudioError): boolean {
  return code === 'out-of-memory' && reason !== 'host-memory';
}
