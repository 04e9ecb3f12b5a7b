/** Requests to handlers and their outcomes to replies. Knows no worker, file or backend, so tests run it as it is. */
import { CancelledError, StudioError, asStudioError } from '../bytes/errors';
import type { WireError } from '../bytes/errors';
import type { FromWorker, Reply, RequestName, RequestPayload } from './protocol';

/** How a request learns that it is no longer wanted, or not for now. */
export interface Control {
  readonly signal: AbortSignal;
  /** Resolves while the job is not paused; rejects with CancelledError once it is cancelled. */
  readonly ready: () => Promise<void>;
}
/** Answered by the dispatcher itself. */
type OwnRequest = 'pause' | 'cancel';
export type HandledRequest = Exclude<RequestName, OwnRequest>;
export type Handlers = { readonly [N in HandledRequest]: (payload: RequestPayload<N>, control: Control) => Promise<Reply<N>> };

interface Request {
  readonly id: number;
  readonly request: string;
  readonly payload: unknown;
}

/** Jobs run alone and can be paused and cancelled. */
const JOBS: ReadonlySet<string> = new Set<HandledRequest>(['merge', 'batch', 'scan', 'verify']);
/** Would change under a running job what it works on. */
const NOT_DURING_JOB: ReadonlySet<string> = new Set<HandledRequest>(['merge', 'batch', 'scan', 'verify', 'start', 'calibrate', 'close', 'removeUnfinished', 'removeStored']);
/** A later request of the same name makes an earlier one pointless. */
const SUPERSEDED: ReadonlySet<string> = new Set<HandledRequest>(['explore', 'surface', 'slackCurve', 'effect', 'distribution']);

/** Made for this reply alone and large: 20 MB for a fine surface of a 7B model. Moved to the page, not copied. */
const MOVED: ReadonlySet<string> = new Set<HandledRequest>(['surface', 'slackCurve', 'distribution']);

/**
 * Passes each request to its handler and posts exactly one reply. `explore` and the views: of each the latest wins, an earlier
 * one is rejected as cancelled at once, its signal aborted, and the next begins when it has stopped. `merge`, `batch`, `scan` and `verify`: one at
 * a time (`busy`), subject to `pause` and `cancel`; `cancel` is answered at once, the job itself rejects as cancelled when it
 * has cleaned up.
 */
export class Dispatcher {
  /** Ids not yet answered. */
  private readonly open = new Set<number>();
  private job: Job | null = null;
  /** Of each superseded request. */
  private readonly latest = new Map<string, { cancel(): void; readonly stopped: Promise<void> }>();

  constructor(
    private readonly handlers: Handlers,
    private readonly post: (message: FromWorker, transfer: ArrayBuffer[]) => void,
  ) {}

  /** Takes one message; what is no request is ignored. */
  receive(message: unknown): void {
    if (!isRequest(message)) return;
    const { id, request, payload } = message;
    this.open.add(id);
    if (request === 'pause') {
      this.job?.pause((payload as RequestPayload<'pause'>).paused);
      this.succeed(id, null);
    } else if (request === 'cancel') {
      this.job?.cancel();
      this.succeed(id, null);
    } else if (!Object.hasOwn(this.handlers, request)) {
      this.fail(id, new StudioError('internal', 'unknown-request', `no request is called ${request}`, { actual: request }));
    } else if (this.job && NOT_DURING_JOB.has(request)) {
      this.fail(id, new StudioError('internal', 'busy', `${request} has to wait for the job that is running`, { actual: request }));
    } else if (JOBS.has(request)) {
      void this.runJob(message);
    } else if (SUPERSEDED.has(request)) {
      this.supersede(message);
    } else {
      void this.run(message, new Job());
    }
  }

  private async runJob(message: Request): Promise<void> {
    const job = new Job();
    this.job = job;
    await this.run(message, job);
    this.job = null;
  }

  private supersede(message: Request): void {
    const previous = this.latest.get(message.request);
    previous?.cancel();
    const job = new Job();
    const cancel = () => {
      job.cancel();
      this.fail(message.id, new CancelledError('a later request took its place'));
    };
    const run = async () => {
      await previous?.stopped;
      if (!job.signal.aborted) await this.run(message, job);
    };
    this.latest.set(message.request, { cancel, stopped: run() });
  }

  /** Never rejects. */
  private async run({ id, request, payload }: Request, job: Job): Promise<void> {
    try {
      const handler = this.handlers[request as HandledRequest] as (payload: unknown, control: Control) => Promise<unknown>;
      const reply = await handler(payload, job);
      this.succeed(id, reply, MOVED.has(request) ? buffersOf(reply) : []);
    } catch (error) {
      // Whatever a cancelled job stumbles over while stopping, the user asked it to stop.
      this.fail(id, job.signal.aborted ? new CancelledError() : asStudioError(error));
    }
  }

  private succeed(id: number, reply: unknown, transfer: ArrayBuffer[] = []): void {
    if (!this.open.delete(id)) return;
    try {
      this.post({ id, ok: true, reply }, transfer);
    } catch (error) {
      // A reply that cannot be cloned must not leave its request waiting for ever.
      this.post({ id, ok: false, error: wireOf(error) }, []);
    }
  }

  private fail(id: number, error: StudioError): void {
    if (this.open.delete(id)) this.post({ id, ok: false, error: error.toWire() }, []);
  }
}

const wireOf = (error: unknown): WireError => asStudioError(error).toWire();

/** The buffers of all typed arrays in a reply, each once. */
function buffersOf(reply: unknown): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>();
  const gather = (part: unknown) => {
    if (ArrayBuffer.isView(part)) found.add(part.buffer as ArrayBuffer);
    else if (typeof part === 'object' && part !== null) Object.values(part).forEach(gather);
  };
  gather(reply);
  return [...found];
}

function isRequest(message: unknown): message is Request {
  if (typeof message !== 'object' || message === null) return false;
  const { id, request } = message as Partial<Request>;
  return typeof id === 'number' && typeof request === 'string';
}

class Job implements Control {
  private readonly controller = new AbortController();
  private paused: Promise<void> | null = null;
  private resume: () => void = () => {};

  get signal(): AbortSignal {
    return this.controller.signal;
  }
  /** A property, since handlers pass it on by itself. */
  readonly ready = async (): Promise<void> => {
    while (this.paused && !this.signal.aborted) await this.paused;
    if (this.signal.aborted) throw new CancelledError();
  };
  pause(paused: boolean): void {
    if (paused) this.paused ??= new Promise((resolve) => (this.resume = resolve));
    else {
      this.resume();
      this.paused = null;
    }
  }
  cancel(): void {
    this.controller.abort(new CancelledError());
    this.resume();
  }
}
