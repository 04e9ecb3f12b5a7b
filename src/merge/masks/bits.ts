/** One bit for each element of a slot: whether a value takes part. */
export class Bits {
  private readonly words: Uint32Array;

  constructor(length: number) {
    this.words = new Uint32Array(Math.ceil(length / 32));
  }

  set(place: number): void {
    this.words[place >>> 5]! |= 1 << (place & 31);
  }

  has(place: number): boolean {
    return ((this.words[place >>> 5]! >>> (place & 31)) & 1) === 1;
  }

  /** How many of [begin, end) are set. */
  count(begin: number, end: number): number {
    let sum = 0;
    for (let at = begin; at < end; ) {
      const whole = (at & 31) === 0 && at + 32 <= end;
      sum += whole ? ones(this.words[at >>> 5]!) : Number(this.has(at));
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
