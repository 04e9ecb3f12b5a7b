/** Arrays of one block: what the passes write for each other while it is in the nearest cache. Allocated once per worker. */

/** Elements of a block. Base, two task vectors and their sum take 32 KiB, which is what a core's first cache holds. */
export const BLOCK = 2048;

/** The same 32-bit words as f32 values and as integers. */
export interface Lane {
  readonly f32: Float32Array<ArrayBuffer>;
  readonly bits: Int32Array<ArrayBuffer>;
}

export function createLane(elements = BLOCK): Lane {
  return laneAt(new ArrayBuffer(elements * 4), 0, elements);
}
function laneAt(buffer: ArrayBuffer, at: number, elements: number): Lane {
  return { f32: new Float32Array(buffer, at, elements), bits: new Int32Array(buffer, at, elements) };
}

/** Gives room for so many words, or null when there is no more. */
export type Allocate = (words: number) => { readonly buffer: ArrayBuffer; readonly at: number } | null;

export class Scratch {
  readonly base: Lane;
  readonly e: Lane;
  readonly sum: Lane;
  readonly divisor: Lane;
  readonly merged: Lane;
  /** 1 where the elected sign is negative. */
  readonly negative: Int32Array<ArrayBuffer>;
  /** 1 where kept values have both signs. */
  readonly conflict: Int32Array<ArrayBuffer>;
  readonly positives: Int32Array<ArrayBuffer>;
  readonly negatives: Int32Array<ArrayBuffer>;
  /** Keys and places in the block of the preferred model's discarded values, side by side from the start. */
  readonly marginKeys: Int32Array<ArrayBuffer>;
  readonly marginPlaces: Int32Array<ArrayBuffer>;
  /** 1 where a draw keeps a value. */
  readonly drawn = new Uint8Array(BLOCK);
  private readonly taus: Lane[] = [];
  private readonly terms: Lane[] = [];
  private readonly agreeing: Int32Array<ArrayBuffer>[] = [];

  /** @param allocate where the arrays lie; without it, or when its room ends, each in a buffer of its own */
  constructor(private readonly allocate: Allocate | null = null) {
    [this.base, this.e, this.sum, this.divisor, this.merged] = [this.lane(), this.lane(), this.lane(), this.lane(), this.lane()];
    this.negative = this.lane().bits;
    this.conflict = this.lane().bits;
    this.positives = this.lane().bits;
    this.negatives = this.lane().bits;
    this.marginKeys = this.lane().bits;
    this.marginPlaces = this.lane().bits;
  }

  /** tau_i, later tau^_i. */
  tau(model: number): Lane {
    return (this.taus[model] ??= this.lane());
  }
  /** w_i * tau^_i; for `linear` theta_i. */
  term(model: number): Lane {
    return (this.terms[model] ??= this.lane());
  }
  /** 1 where a model agrees with the elected sign. */
  agrees(model: number): Int32Array<ArrayBuffer> {
    return (this.agreeing[model] ??= this.lane().bits);
  }

  private lane(): Lane {
    const room = this.allocate?.(BLOCK);
    return room ? laneAt(room.buffer, room.at, BLOCK) : createLane();
  }
}
