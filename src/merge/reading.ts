/** Reading ranges of shards: neighbours in one read, files side by side. */
import { joinBytes } from '../bytes/join';
import { CancelledError, OutOfMemoryError, SourceChangedError, StudioError, asStudioError } from '../bytes/errors';
import type { ByteSource } from '../bytes/source';
import { ReadLimits, Watchdog } from '../bytes/watchdog';
import type { Backend } from './backend';
import { InputValues } from './inputs';
import type { Adapt, InputPart } from './inputs';
import { COPY_BYTES, READ_BYTES } from './io-sizes';
import type { ByteRange } from './plan-types';
import { SourceProbe } from './source-probe';

/** Opens a shard, by checkpoint id and index into its shards. `again`: to look whether it is what it was; nothing kept of it counts. */
export type OpenShard = (checkpoint: string, shard: number, again?: boolean) => Promise<ByteSource>;

/** What a reader asks before each read and tells after it. */
export interface ReadWatch {
  /** Resolves when reading may go on; rejects when it is to stop. */
  ready(): Promise<void>;
  /** Runs one read and counts its time and `bytes`. */
  reading<T>(bytes: number, read: () => Promise<T>): Promise<T>;
  /** Memory ran out at a read: less is to be held from now on. The read is tried once more. Resolves to what may be held, bytes. */
  short?(): number;
  /** Bytes of a piece of what is copied or compared, default COPY_BYTES. */
  readonly copyBytes?: number | undefined;
  /** Reads under way end soon after it is aborted, whatever the disk does. */
  readonly signal?: AbortSignal | undefined;
  /** Finds reads that never end; default one over real time. */
  readonly watchdog?: Watchdog | undefined;
}

/** Milliseconds before a read for which there was no memory is tried again: what was let go is collected meanwhile. */
const COLLECT_MS = 200;

/** A shard, and what is remembered of what it gave. */
interface Opened {
  readonly source: ByteSource;
  readonly probe: SourceProbe;
  readonly range: ByteRange;
}

/**
 * The shards of a merge, each opened once. Reads reject with the file and the place: SourceChangedError as the source says, and
 * `size-changed` (too short for a range, or fewer bytes than asked for), `stalled` (no bytes in the time that the limit allows, in
 * seconds `actual`), `changed-during`; OutOfMemoryError `host-memory`, bytes wanted `expected` and held `actual`.
 */
export class Sources {
  private readonly opened = new Map<string, Promise<Opened>>();
  private readonly values: InputValues;
  private readonly watchdog: Watchdog;
  private readonly limits = new ReadLimits();

  /** `adapt` forms the values of adapters; without it there must be none. Large runs of `readAll` are lent from the buffers of `lender`. */
  constructor(
    private readonly openShard: OpenShard,
    private readonly watch: ReadWatch,
    adapt?: Adapt,
    private readonly lender: Pick<Backend, 'buffers'> = {},
  ) {
    this.values = new InputValues((range) => this.read(range), adapt);
    this.watchdog = watch.watchdog ?? new Watchdog();
  }

  /** Bytes of a piece of what is copied or compared. */
  get copyBytes(): number {
    return this.watch.copyBytes ?? COPY_BYTES;
  }

  /** Bytes of one range, in reads of at most READ_BYTES. */
  async read(range: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    const opened = await this.source(range);
    return this.withMemory(opened, range, () => this.readWhole(opened, range));
  }

  /** Once more, with less held, where there was no memory. */
  private async withMemory<T>(opened: Opened, range: ByteRange, read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (!isShort(error) || !this.watch.short) throw error;
      const held = this.watch.short();
      // What lies idle has other sizes than what there was no room for.
      this.lender.buffers?.clear();
      await this.watchdog.rest(COLLECT_MS);
      return read().catch((again: unknown) => {
        if (!isShort(again)) throw again;
        const { name } = opened.source;
        const wanted = range.end - range.begin;
        throw new OutOfMemoryError('host-memory', `no memory for ${wanted} bytes of ${name}, holding at most ${held}`, { file: name, expected: wanted, actual: held, offset: range.begin });
      });
    }
  }

  private async readWhole(opened: Opened, { begin: first, end }: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    if (end - first <= READ_BYTES) return this.readOnce(opened, first, end);
    const whole = allocated(end - first);
    for (let begin = first; begin < end; begin += READ_BYTES) {
      whole.set(await this.readOnce(opened, begin, Math.min(end, begin + READ_BYTES)), begin - first);
    }
    return whole;
  }

  /**
   * Reads again some of what every source gave. Rejects with SourceChangedError: `changed-during` where one gives other bytes, or
   * as opening it anew does.
   */
  async unchanged(): Promise<void> {
    for (const opening of this.opened.values()) {
      const { range, source, probe } = await opening;
      const now = await this.watched(source.name, 0, () => this.openShard(range.checkpoint, range.shard, true));
      const at = await probe.changedAt((begin, end) => this.readFrom(now, begin, end));
      if (at !== null) throw new SourceChangedError('changed-during', `${source.name} gives other bytes at ${at} than it did before`, { file: source.name, offset: at });
    }
  }

  /** Values of a part of which `readAll` of its ranges gave `bytes`. */
  async valuesOf(part: InputPart, bytes: readonly Uint8Array<ArrayBuffer>[]): Promise<Uint8Array<ArrayBuffer>> {
    const values = await this.values.of(part, bytes.length === 1 ? bytes[0]! : joinBytes(bytes));
    if (values !== bytes[0]) for (const own of bytes) this.done(own);
    return values;
  }

  /** Nobody uses `bytes`, which were read, any more: the next read may have their buffer. */
  done(bytes: Uint8Array<ArrayBuffer>): void {
    this.lender.buffers?.giveBack(bytes);
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
          const lengths = members.map((member) => ranges[member]!.end - ranges[member]!.begin);
          for (const [i, bytes] of (await this.readCut(range, lengths)).entries()) results[members[i]!] = bytes;
        }
      }),
    );
    return results;
  }

  /** A range cut into runs of `lengths` bytes: large ones lent, if that can be, the others views of what is read together. */
  private async readCut(range: ByteRange, lengths: readonly number[]): Promise<Uint8Array<ArrayBuffer>[]> {
    const { buffers } = this.lender;
    const opened = await this.source(range);
    if (!buffers || !opened.source.readInto || !lengths.some((length) => length >= buffers.leastLent)) return viewsOf(await this.read(range), lengths);
    const shares = sharesOf(lengths, buffers.leastLent);
    const totals = shares.map((members) => members.reduce((sum, length) => sum + length, 0));
    const filled = await this.withMemory(opened, range, () => this.readIntoOnce(opened, range, totals, (bytes) => buffers.take(bytes)));
    return filled.flatMap((buffer, i) => (shares[i]!.length === 1 ? [buffers.lend(buffer, totals[i]!)] : viewsOf(new Uint8Array(buffer), shares[i]!)));
  }

  private async readIntoOnce({ source, probe }: Opened, { begin, end }: ByteRange, lengths: readonly number[], take: (bytes: number) => ArrayBuffer): Promise<ArrayBuffer[]> {
    await this.watch.ready();
    const filled = await this.watch.reading(end - begin, () => this.timed(source, begin, end, () => source.readInto!(begin, lengths, take)));
    let at = begin;
    for (const [i, buffer] of filled.entries()) {
      probe.note(at, new Uint8Array(buffer, 0, lengths[i]));
      at += lengths[i]!;
    }
    return filled;
  }

  private source(range: ByteRange): Promise<Opened> {
    const key = fileKey(range);
    const known = this.opened.get(key) ?? this.open(range);
    this.opened.set(key, known);
    return known;
  }

  private async open(range: ByteRange): Promise<Opened> {
    const source = await this.watched(`shard ${range.shard + 1}`, 0, () => this.openShard(range.checkpoint, range.shard));
    return { source, range, probe: new SourceProbe(source.name) };
  }

  private async readOnce({ source, probe }: Opened, begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    await this.watch.ready();
    const bytes = await this.watch.reading(end - begin, () => this.readFrom(source, begin, end));
    probe.note(begin, bytes);
    return bytes;
  }

  private async readFrom(source: ByteSource, begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    const { name: file } = source;
    const bytes = await this.timed(source, begin, end, () => source.read(begin, end));
    if (bytes.length === end - begin) return bytes;
    throw new SourceChangedError('size-changed', `${file}: ${bytes.length} of ${end - begin} bytes at ${begin}`, { file, expected: end - begin, actual: bytes.length, offset: begin });
  }

  private async timed<T>(source: ByteSource, begin: number, end: number, read: () => Promise<T>): Promise<T> {
    const { name: file, size } = source;
    if (end > size) throw new SourceChangedError('size-changed', `${file}: ${size} bytes, at least ${end} when it was opened`, { file, expected: end, actual: size, offset: begin });
    const started = performance.now();
    const result = await this.watched(file, end - begin, read).catch((error: unknown) => {
      throw placed(error, file, begin);
    });
    this.limits.note(end - begin, performance.now() - started);
    return result;
  }

  private watched<T>(file: string, bytes: number, act: () => Promise<T>): Promise<T> {
    const fault = (seconds: number) => new SourceChangedError('stalled', `${file} gave nothing for ${seconds} seconds`, { file, actual: seconds });
    return this.watchdog.over({ limitMs: this.limits.of(bytes), fault, signal: this.watch.signal }, act);
  }
}

const isShort = (error: unknown) => asStudioError(error).reason === 'host-memory';

/** Throws OutOfMemoryError `host-memory`. */
function allocated(bytes: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(bytes);
  } catch (error) {
    throw asStudioError(error);
  }
}

/** The failure of a read, with its file and place. */
function placed(error: unknown, file: string, offset: number): StudioError {
  const { code, reason, message, where, cause } = asStudioError(error);
  if (code === 'cancelled') return new CancelledError();
  return new StudioError(code, reason, message, { file, offset, ...where }, { cause });
}

/** Runs one after the other in `bytes`, each from a multiple of 8 on: a view that starts between words cannot be read as numbers in place. */
function viewsOf(bytes: Uint8Array<ArrayBuffer>, lengths: readonly number[]): Uint8Array<ArrayBuffer>[] {
  let at = bytes.byteOffset;
  return lengths.map((length) => {
    const own = new Uint8Array(bytes.buffer, at, length);
    at += length;
    return own.byteOffset % 8 === 0 ? own : own.slice();
  });
}

/** Runs that follow each other by the buffer that they are read into: one of `least` bytes for itself, smaller ones up to twice as many together. */
function sharesOf(lengths: readonly number[], least: number): number[][] {
  const shares: number[][] = [];
  let room = 0;
  for (const length of lengths) {
    if (length < least && length <= room) {
      shares.at(-1)!.push(length);
      room -= length;
    } else {
      shares.push([length]);
      room = length < least ? 2 * least - length : 0;
    }
  }
  return shares;
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
