/** The folder a merge writes to: refused when it holds weights, and left without any when the merge does not end well. */
import { DestinationError } from '../bytes/errors';
import type { ByteSink, Destination } from '../bytes/source';

/** What a loader would take for an export: transformers prefers `model.safetensors`, then the index (faults.md, writing). */
const WEIGHTS = /^model.*\.safetensors$|\.safetensors\.index\.json$/i;

export class OutputFolder {
  /** What was there before and still is. */
  private readonly before: Set<string>;
  /** Files that are there because of this run, or may be. */
  private readonly own = new Set<string>();

  private constructor(
    private readonly destination: Destination,
    before: readonly string[],
    /** An old export, or a file of a name that will be written, is there and is to be replaced. */
    readonly replaces: boolean,
  ) {
    this.before = new Set(before);
  }

  /**
   * `names`: all that will be written. Rejects with DestinationError `not-empty`, naming the files, when the folder holds one
   * of them, weights or an index, and `replace` is not set.
   */
  static async prepare(destination: Destination, names: readonly string[], replace: boolean): Promise<OutputFolder> {
    const before = await destination.list();
    const inTheWay = before.filter((name) => WEIGHTS.test(name) || names.includes(name));
    if (!replace && inTheWay.length > 0) {
      const where = { file: destination.name, names: inTheWay };
      throw new DestinationError('not-empty', `${destination.name} holds ${inTheWay.join(', ')}`, where);
    }
    return new OutputFolder(destination, before, inTheWay.length > 0);
  }

  create(name: string): Promise<ByteSink> {
    return this.destination.create(name);
  }

  /** Removes the old export's weights, its index first, except the files that `names` will replace. */
  async clearOldWeights(names: readonly string[]): Promise<void> {
    for (const name of indexFirst([...this.before].filter((old) => WEIGHTS.test(old) && !names.includes(old)))) {
      await this.destination.remove(name);
      this.before.delete(name);
    }
  }

  /** Makes a file final. A failure leaves an older file of that name as it was (see `ByteSink.close`). */
  async finish(name: string, sink: { close(): Promise<void> }): Promise<void> {
    const replaced = this.before.has(name);
    // A new file is this run's even when closing fails half-way.
    if (!replaced) this.own.add(name);
    await sink.close();
    this.own.add(name);
  }

  /**
   * Removes what this run made final, the index first; with `keepShards` the shards stay. What it replaced cannot come back:
   * such a weight file is removed, a sidecar left. Resolves to the names that could not be removed.
   */
  async discard(keepShards: boolean): Promise<string[]> {
    if (this.own.size === 0) return [];
    const present = await this.destination.list().catch(() => [...this.own]);
    const left: string[] = [];
    for (const name of indexFirst([...this.own].filter((own) => present.includes(own)))) {
      const isShard = WEIGHTS.test(name) && !isIndex(name);
      if ((keepShards && isShard) || (this.before.has(name) && !WEIGHTS.test(name))) continue;
      await this.destination.remove(name).catch(() => left.push(name));
    }
    return left;
  }
}

const isIndex = (name: string) => name.endsWith('.index.json');

/** Without its index a folder of shards is visibly incomplete (faults.md B 41). */
function indexFirst(names: readonly string[]): string[] {
  return [...names].sort((a, b) => Number(isIndex(b)) - Number(isIndex(a)));
}
