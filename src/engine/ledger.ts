/** What a device was asked for, counted where it is recorded: nothing of it depends on how fast the device is. */
export class Ledger {
  submissions = 0;
  /** Copies from staging buffers, each submitted by itself. */
  uploads = 0;
  /** Selections from a bracket, and how many of them missed. */
  readonly brackets = { tried: 0, missed: 0 };
  /** Blocks that repairs read once more, in part. */
  repairedBlocks = 0;
  /** Bytes of inputs that passes over elements read from device memory, per input: base, then the models; repairs apart. */
  readonly inputBytes: number[] = [];

  countReads(bytes: readonly number[] = []): void {
    for (const [input, more] of bytes.entries()) this.inputBytes[input] = (this.inputBytes[input] ?? 0) + more;
  }
}
