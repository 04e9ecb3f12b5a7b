/** One bit for each element of a slot: whether a value takes part. */
export class Bits {
  private readonly words: Uint32Array;

  constructor(length: number) {
    this.words = new Uint32Array(Math.ceil(length / 32));
  }

  /** Sets the bits from `begin` on where `mask` is 1. */
  write(begin: number, mask: Uint8Array): void {
    const { words } = this;
    let j = 0;
    while (j < mask.length) {
      const place = begin + j;
      // A word at a time: what is written bit by bit waits for itself.
      const end = Math.min(mask.length, j + 32 - (place & 31));
      let word = 0;
      for (let shift = place & 31; j < end; j++, shift++) word |= mask[j]! << shift;
      words[place >>> 5]! |= word;
    }
  }

  /** Writes 1 into `mask` for the bits from `begin` on that are set, else 0. */
  read(begin: number, mask: Uint8Array): void {
    const { words } = this;
    let place = begin;
    for (let j = 0; j < mask.length; j++, place++) mask[j] = (words[place >>> 5]! >>> (place & 31)) & 1;
  }

  /** How many of [begin, end) are set. */
  count(begin: number, end: number): number {
    let sum = 0;
    for (let at = begin; at < end; ) {
      const whole = (at & 31) === 0 && at + 32 <= end;
      sum += whole ? ones(this.words[at >>> 5]!) : (this.words[at >>> 5]! >>> (at & 31)) & 1;
      at += whole ? 32 : 1;
    }
    return sum;
  }
}

function ones(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
