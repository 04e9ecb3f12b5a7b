/** Arrays of one block: what the passes write for each other while it is in the nearest cache. Allocated once per worker. */

/** Elements of a block. Base, two task vectors and their sum take 32 KiB, which is what a core's first cache holds. */
export const BLOCK = 2048;

/** The same 32-bit words as f32 values and as integers. */
export interface Lane {
  readonly f32: Float32Array<ArrayBuffer>;
  readonly bits: Int32Array<ArrayBuffer>;
}

export function createLane(elements = BLOCK): Lane {
  const buffer = new ArrayBuffer(elements * 4);
  return { f32: new Float32Array(buffer), bits: new Int32Array(buffer) };
}

export class Scratch {
  readonly base = createLane();
  readonly e = createLane();
  readonly sum = createLane();
  readonly divisor = createLane();
  readonly merged = createLane();
  /** 1 where the elected sign is negative. */
  readonly negative = new Int32Array(BLOCK);
  /** 1 where kept values have both signs. */
  readonly conflict = new Int32Array(BLOCK);
  readonly positives = new Int32Array(BLOCK);
  readonly negatives = new Int32Array(BLOCK);
  /** Keys and places in the block of the preferred model's discarded values, side by side from the start. */
  readonly marginKeys = new Int32Array(BLOCK);
  readonly marginPlaces = new Int32Array(BLOCK);
  private readonly taus: Lane[] = [];
  private readonly terms: Lane[] = [];
  private readonly agreeing: Int32Array[] = [];

  /** tau_i, later tau^_i. */
  tau(model: number): Lane {
    return (this.taus[model] ??= createLane());
  }
  /** w_i * tau^_i; for `linear` theta_i. */
  term(model: number): Lane {
    return (this.terms[model] ??= createLane());
  }
  /** 1 where a model agrees with the elected sign. */
  agrees(model: number): Int32Array {
    return (this.agreeing[model] ??= new Int32Array(BLOCK));
  }
}
