/** The crew of several workers. A part lives with one of them from its first pass to its last. */
import { fromWire, StudioError } from '../bytes/errors';
import { bytesPerValue } from '../bytes/dtypes';
import { Watchdog } from '../bytes/watchdog';
import type { AdaptRequest } from '../merge/adapting';
import { joinBytes } from '../bytes/join';
import { splitRequest } from './adapt';
import type { Crew, MagnitudeSums, MergedPart, PartPasses, PartSpec } from './part-types';
import type { Formed, FromPoolWorker, PassRequest, PassResult, PoolWorker } from './pool-messages';
import type { BufferRing } from '../bytes/buffer-ring';
import type { Tally, TallyOfAll } from './select';

/** The reason of the StudioError `internal` that passes reject with once a worker has died. */
export const POOL_DIED = 'cpu-worker-died';

interface Hand {
  readonly worker: PoolWorker;
  /** Elements of the parts that it has. */
  elements: number;
  /** Answers that it owes. */
  asked: number;
  /** Tells whoever waits for its next answer. */
  heard: () => void;
}
interface Pending {
  resolve(result: PassResult): void;
  reject(error: StudioError): void;
}

/**
 * Milliseconds awake in which a worker that is asked something gives no answer, after which it counts as dead. Its longest pass takes
 * seconds, without SIMD on a busy machine too; another thread then does its work, so that a false alarm costs speed only.
 */
const SILENT_MS = 180_000;

export class Pool implements Crew {
  private readonly hands: readonly Hand[];
  private readonly pending = new Map<number, Pending>();
  private next = 0;
  private death: StudioError | null = null;

  /** At least one worker. The pool terminates them. `ring`: what parts and outputs lie in. */
  constructor(
    workers: readonly PoolWorker[],
    private readonly ring: BufferRing,
    private readonly watchdog = new Watchdog(),
  ) {
    this.hands = workers.map((worker) => ({ worker, elements: 0, asked: 0, heard: () => {} }));
    for (const hand of this.hands) hand.worker.listen((message) => this.receive(message, hand), (reason) => this.die(reason));
  }

  get size(): number {
    return this.hands.length;
  }

  load(spec: PartSpec, inputs: readonly (Uint8Array<ArrayBuffer> | null)[]): PartPasses {
    const hand = this.hands.reduce((least, other) => (other.elements < least.elements ? other : least));
    const part = this.next++;
    hand.elements += spec.count;
    const transfer = new Set<ArrayBuffer>();
    const moved = inputs.map((bytes) => bytes && this.movable(bytes, transfer));
    if (!this.death) hand.worker.post({ load: spec, part, inputs: moved }, [...transfer]);
    // What a pass answers with follows from what is asked.
    const ask = (request: PassRequest) => this.ask(hand, { part, request });
    let here = true;
    let { count } = spec;
    const giveUp = () => {
      hand.elements -= count;
      count = 0;
    };
    return {
      tally: (model, range) => ask({ pass: 'tally', model, range }) as Promise<Tally | null>,
      margins: (decision, range) => ask({ pass: 'margins', decision, range }) as Promise<TallyOfAll | null>,
      magnitudes: (model, cut, before) => ask({ pass: 'magnitudes', model, cut, before }) as Promise<MagnitudeSums>,
      merge: (decision) => this.ask(hand, { part, request: { pass: 'merge', decision }, into: this.ring.take(spec.count * bytesPerValue(spec.outDtype)) }) as Promise<MergedPart>,
      shed: () => {
        giveUp();
        if (!this.death) hand.worker.post({ shed: true, part }, []);
      },
      release: () => {
        if (!here) return;
        here = false;
        giveUp();
        if (!this.death) hand.worker.post({ release: true, part }, []);
      },
    };
  }

  recycle({ buffer }: Uint8Array<ArrayBuffer>): void {
    this.ring.give(buffer);
  }

  copied(bytes: Uint8Array<ArrayBuffer>): void {
    this.ring.giveBack(bytes);
  }

  /** Forms the values of an adapter, each worker some rows of them. */
  async adapt(request: AdaptRequest): Promise<Uint8Array<ArrayBuffer>> {
    const asked = splitRequest(request, this.size).map((piece, i) => this.ask(this.hands[i]!, { adapt: piece }) as Promise<Formed>);
    return joinBytes((await Promise.all(asked)).map(({ formed }) => formed));
  }

  /** Ends the workers; pending passes reject. */
  dispose(): void {
    this.die('the pool was disposed of');
  }

  private ask(hand: Hand, what: { readonly part: number; readonly request: PassRequest; readonly into?: ArrayBuffer } | { readonly adapt: AdaptRequest }): Promise<PassResult> {
    if (this.death) return Promise.reject(this.death);
    const id = this.next++;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      if (hand.asked++ === 0) this.expectAnswer(hand);
      try {
        hand.worker.post({ id, ...what }, 'into' in what ? [what.into] : []);
      } catch (error) {
        // No memory for a copy of it: nothing is to be waited for.
        this.pending.delete(id);
        if (--hand.asked === 0) hand.heard();
        throw error;
      }
    });
  }

  /** What waits behind the passes of other parts waits for as long as these are answered. */
  private expectAnswer(hand: Hand): void {
    const answer = new Promise<void>((resolve) => (hand.heard = resolve));
    const fault = (seconds: number) => new Error(`no answer for ${seconds} seconds`);
    this.watchdog.over({ limitMs: SILENT_MS, fault }, () => answer).catch((silence: Error) => this.die(silence.message));
  }

  private receive(message: FromPoolWorker, hand: Hand): void {
    if ('spare' in message) return message.spare.forEach((buffer) => this.ring.give(buffer));
    hand.heard();
    if (--hand.asked > 0) this.expectAnswer(hand);
    const asked = this.pending.get(message.id);
    this.pending.delete(message.id);
    if (message.ok) asked?.resolve(message.result);
    else asked?.reject(fromWire(message.error));
  }

  /** `bytes` in a buffer that no one else looks at and that is not yet in `transfer`, where it is put. */
  private movable(bytes: Uint8Array<ArrayBuffer>, transfer: Set<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    let own = bytes;
    const isWhole = this.ring.isWhole(bytes) || bytes.byteLength === bytes.buffer.byteLength;
    if (!isWhole || transfer.has(bytes.buffer)) {
      own = new Uint8Array(this.ring.take(bytes.byteLength), 0, bytes.byteLength);
      own.set(bytes);
    }
    transfer.add(own.buffer);
    return own;
  }

  private die(reason: string): void {
    if (this.death) return;
    this.death = new StudioError('internal', POOL_DIED, `a worker of the CPU backend is gone: ${reason}`);
    for (const { worker, heard } of this.hands) {
      worker.terminate();
      heard();
    }
    for (const { reject } of this.pending.values()) reject(this.death);
    this.pending.clear();
  }
}
