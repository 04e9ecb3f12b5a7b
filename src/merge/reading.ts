/** Reading ranges of shards: neighbours in one read, files side by side. */
import { SourceChangedError } from '../bytes/errors';
import type { ByteSource } from '../bytes/source';
import { InputValues } from './inputs';
import type { Adapt, InputPart } from './inputs';
import { READ_BYTES } from './io-sizes';
import type { ByteRange } from './plan-types';

/** Opens a shard, by checkpoint id and index into its shards. */
export type OpenShard = (checkpoint: string, shard: number) => Promise<ByteSource>;

/** What a reader asks before each read and tells after it. */
export interface ReadWatch {
  /** Resolves when reading may go on; rejects when it is to stop. */
  ready(): Promise<void>;
  /** Runs one read and counts its time and `bytes`. */
  reading<T>(bytes: number, read: () => Promise<T>): Promise<T>;
}

/** The shards of a merge, each opened once. */
export class Sources {
  private readonly opened = new Map<string, Promise<ByteSource>>();
  private readonly values: InputValues;

  /** `adapt` forms the values of adapters; without it there must be none. */
  constructor(
    private readonly openShard: OpenShard,
    private readonly watch: ReadWatch,
    adapt?: Adapt,
  ) {
    this.values = new InputValues((range) => this.read(range), adapt);
  }

  /** Bytes of one range, in reads of at most READ_BYTES. Rejects with SourceChangedError when the file is too short for it. */
  async read(range: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    const source = await this.source(range);
    if (range.end - range.begin <= READ_BYTES) return this.readOnce(source, range.begin, range.end);
    const whole = new Uint8Array(range.end - range.begin);
    for (let begin = range.begin; begin < range.end; begin += READ_BYTES) {
      whole.set(await this.readOnce(source, begin, Math.min(range.end, begin + READ_BYTES)), begin - range.begin);
    }
    return whole;
  }

  /** Values of a part of which `readAll` of its ranges gave `bytes`. */
  valuesOf(part: InputPart, bytes: readonly Uint8Array<ArrayBuffer>[]): Promise<Uint8Array<ArrayBuffer>> {
    return this.values.of(part, bytes.length === 1 ? bytes[0]! : joined(bytes));
  }

  /** Values of a part. */
  async readPart(part: InputPart): Promise<Uint8Array<ArrayBuffer>> {
    return this.valuesOf(part, await this.readAll(part.ranges));
  }

  /** Bytes of each range, in their order. Ranges that touch in one file are one read; the files are read at the same time. */
  async readAll(ranges: readonly ByteRange[]): Promise<Uint8Array<ArrayBuffer>[]> {
    const results = new Array<Uint8Array<ArrayBuffer>>(ranges.length);
    const byFile = new Map<string, Run[]>();
    for (const run of runsOf(ranges)) byFile.set(fileKey(run.range), [...(byFile.get(fileKey(run.range)) ?? []), run]);
    await Promise.all(
      [...byFile.values()].map(async (runs) => {
        for (const { range, members } of runs) {
          const bytes = await this.read(range);
          for (const member of members) {
            const { begin, end } = ranges[member]!;
            const own = bytes.subarray(begin - range.begin, end - range.begin);
            // A view that starts between words cannot be read as numbers in place.
            results[member] = own.byteOffset % 8 === 0 ? own : own.slice();
          }
        }
      }),
    );
    return results;
  }

  private source(range: ByteRange): Promise<ByteSource> {
    const key = fileKey(range);
    const known = this.opened.get(key) ?? this.openShard(range.checkpoint, range.shard);
    this.opened.set(key, known);
    return known;
  }

  private async readOnce(source: ByteSource, begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    await this.watch.ready();
    if (end > source.size) {
      const where = { file: source.name, expected: end, actual: source.size };
      throw new SourceChangedError('size-changed', `${source.name}: ${source.size} bytes, at least ${end} when it was opened`, where);
    }
    return this.watch.reading(end - begin, () => source.read(begin, end));
  }
}

const fileKey = ({ checkpoint, shard }: ByteRange) => `${shard} ${checkpoint}`;

/** Ranges that one read serves; `members` are their indices. */
interface Run {
  range: ByteRange;
  readonly members: number[];
}

function runsOf(ranges: readonly ByteRange[]): Run[] {
  const order = [...ranges.keys()].sort((a, b) => {
    const [x, y] = [ranges[a]!, ranges[b]!];
    if (fileKey(x) !== fileKey(y)) return fileKey(x) < fileKey(y) ? -1 : 1;
    return x.begin - y.begin || x.end - y.end;
  });
  const runs: Run[] = [];
  for (const member of order) {
    const range = ranges[member]!;
    const last = runs.at(-1);
    if (last && fileKey(last.range) === fileKey(range) && last.range.end === range.begin && range.end - last.range.begin <= READ_BYTES) {
      last.range = { ...last.range, end: range.end };
      last.members.push(member);
    } else {
      runs.push({ range, members: [member] });
    }
  }
  return runs;
}

function joined(pieces: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
