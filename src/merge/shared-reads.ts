/** Shards that several runs read at about the same time: what one has read is kept for the others for a while. */
import type { OpenShard } from './reading';

/**
 * For what runs read each for itself between two groups: rows that are copied and integers that are compared. Keeps up to
 * `mostBytes` until `forget`; what is beyond that is read again.
 */
export class SharedReads {
  private readonly kept = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();
  private bytes = 0;

  constructor(
    private readonly open: OpenShard,
    private readonly mostBytes: number,
  ) {}

  readonly openShard: OpenShard = async (checkpoint, shard, again) => {
    const source = await this.open(checkpoint, shard, again);
    if (again) return source;
    return {
      name: source.name,
      size: source.size,
      read: async (begin, end) => {
        const key = `${shard}:${begin}:${end} ${checkpoint}`;
        let found = this.kept.get(key);
        if (!found) {
          if (this.bytes + end - begin > this.mostBytes) return source.read(begin, end);
          const reading = source.read(begin, end);
          found = reading;
          this.kept.set(key, reading);
          this.bytes += end - begin;
          // What failed is nothing to keep: whoever tries once more reads.
          reading.catch(() => {
            if (this.kept.get(key) !== reading) return;
            this.kept.delete(key);
            this.bytes -= end - begin;
          });
        }
        // What is read is the reader's to keep, so each has bytes of its own.
        return (await found).slice();
      },
    };
  };

  forget(): void {
    this.kept.clear();
    this.bytes = 0;
  }
}
