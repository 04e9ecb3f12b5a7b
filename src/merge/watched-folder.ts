/** A folder that is written to, of which no operation is waited for for ever. */
import { DestinationError } from '../bytes/errors';
import type { BatchFolder, ByteSink, ByteSource, Destination } from '../bytes/source';
import { ReadLimits, Watchdog, WriteLimits } from '../bytes/watchdog';
import { throwIfAborted } from './abort';

/** Milliseconds that an operation may take while cleaning up after one was given up or the run cancelled: a drive that answers needs none. */
const GRACE_MS = 10_000;

export interface FolderWatch {
  /** Finds operations that never end; default one over real time. */
  readonly watchdog?: Watchdog | undefined;
  /** Operations under way end soon after it is aborted, whatever the disk does. */
  readonly signal?: AbortSignal | undefined;
}

/** What is known of a folder and those in it, by all that watch them. */
class Health {
  /** After this many seconds the last operation was given up; null while none was. */
  unwell: number | null = null;
  /** While cleaning up another was given up. */
  isDead = false;
  /** What was given up and may come to pass all the same, and the file that it is of. */
  private readonly overdue = new Map<Promise<unknown>, string>();

  /** `operation` must not reject. */
  add(file: string, operation: Promise<unknown>): void {
    this.overdue.set(operation, file);
    void operation.then(() => this.overdue.delete(operation));
  }
  get unsettled(): string[] {
    return [...new Set(this.overdue.values())];
  }
  /** Resolves when what is overdue of `file` by now has ended: to whether that made it final. */
  async settledOf(file: string): Promise<boolean> {
    const ended = await Promise.all([...this.overdue].flatMap(([operation, own]) => (own === file ? [operation] : [])));
    return ended.includes(FINAL);
  }
  async settled(): Promise<void> {
    while (this.overdue.size > 0) await Promise.all(this.overdue.keys());
  }
}

/** What an overdue close resolves to that brought its file about. */
const FINAL = Symbol('final');

interface Operation<T> {
  readonly file: string;
  /** Milliseconds. */
  readonly limit: number;
  readonly act: () => Promise<T>;
  /** Undoes what `act` brings after it was given up; absent where that changes nothing in the folder. */
  readonly late?: (brought: T) => Promise<unknown>;
}

const nothing = async () => {};

/**
 * Every operation ends as the folder's does, or rejects with DestinationError `stalled`, file and seconds (`actual`), when it has not
 * ended within its limit (`WriteLimits`; reading what was written has that of any read), and with CancelledError when the signal is
 * aborted before or meanwhile. While cleaning up the signal counts no more, and an operation has ten seconds where one was given up or
 * the signal aborted; once that is given up as well none is begun. `abort` of a sink never rejects.
 *
 * What was given up may end all the same, hours later. A file that is opened then is thrown away, and one that was to be removed is,
 * once nothing of its name is under way; until then nothing else is begun under that name.
 */
export class WatchedFolder implements Destination {
  private readonly watchdog: Watchdog;
  protected readonly limits = new WriteLimits();
  private readonly reads = new ReadLimits();
  protected isCleaning = false;

  protected constructor(
    protected readonly inner: Destination,
    protected readonly watch: FolderWatch,
    protected readonly health = new Health(),
    /** Of what is in it, within the outermost folder. */
    private readonly path = '',
  ) {
    this.watchdog = watch.watchdog ?? new Watchdog();
  }

  /** `folder` watched for one run; one that is watched already also knows what this one gives up. */
  static over(folder: Destination, watch: FolderWatch): WatchedFolder {
    return folder instanceof WatchedFolder ? new WatchedFolder(folder.inner, watch, folder.health, folder.path) : new WatchedFolder(folder, watch);
  }

  get name(): string {
    return this.inner.name;
  }
  /** Files of which an operation was given up and has not ended. */
  get unsettled(): readonly string[] {
    return this.health.unsettled.flatMap((path) => (path.startsWith(this.path) ? [path.slice(this.path.length)] : []));
  }
  /** Resolves when everything that was given up has ended: until then it may change the folder. */
  settled(): Promise<void> {
    return this.health.settled();
  }

  /** The run is over: what follows takes back what it did. */
  cleanUp(): void {
    this.isCleaning = true;
  }

  list(): Promise<readonly string[]> {
    return this.run({ file: this.name, limit: this.limits.of(0), act: () => this.inner.list() });
  }

  async create(name: string): Promise<ByteSink> {
    this.refuseUnsettled(name);
    const sink = await this.run({ file: name, limit: this.limits.of(0), act: () => this.inner.create(name), late: (brought) => brought.abort() });
    let taken = 0;
    return {
      name: sink.name,
      write: async (bytes) => {
        const started = performance.now();
        await this.run({ file: name, limit: this.limits.of(bytes.length), act: () => sink.write(bytes), late: nothing });
        this.limits.note(bytes.length, performance.now() - started);
        taken += bytes.length;
      },
      close: () => this.run({ file: name, limit: this.limits.of(taken), act: () => sink.close(), late: async () => FINAL }),
      abort: () => this.abort(name, sink),
    };
  }

  async open(name: string): Promise<ByteSource> {
    this.refuseUnsettled(name);
    const source = await this.run({ file: name, limit: this.limits.of(0), act: () => this.inner.open(name) });
    const { name: file, size } = source;
    const read = async <T>(bytes: number, act: () => Promise<T>) => {
      const started = performance.now();
      const brought = await this.run({ file, limit: this.reads.of(bytes), act });
      this.reads.note(bytes, performance.now() - started);
      return brought;
    };
    return {
      name: file,
      size,
      read: (begin, end) => read(end - begin, () => source.read(begin, end)),
      ...(source.readInto ? { readInto: (begin, lengths, take) => read(lengths.reduce((sum, length) => sum + length, 0), () => source.readInto!(begin, lengths, take)) } : {}),
    };
  }

  async remove(name: string): Promise<void> {
    const remove = () => this.inner.remove(name);
    if (!this.unsettled.includes(name)) return this.run({ file: name, limit: this.limits.of(0), act: remove, late: nothing });
    // What is under way would bring it back.
    this.later(name, remove);
    this.refuseUnsettled(name);
  }

  /** Does `act` to the folder itself as soon as nothing of `name` is under way, whenever that is; `isFinal`: a close was, and brought it about. */
  later(name: string, act: (folder: Destination, isFinal: boolean) => Promise<void>): void {
    const file = this.path + name;
    this.health.add(file, this.health.settledOf(file).then((isFinal) => act(this.inner, isFinal)).catch(() => {}));
  }

  /** Waits for what is under way, as the sink does, but not for ever. That another file cannot be thrown away says nothing of the rest. */
  private async abort(name: string, sink: ByteSink): Promise<void> {
    const aborting = sink.abort().catch(() => {});
    const fault = (seconds: number) => stalled(name, seconds);
    let isOver = false;
    void aborting.then(() => (isOver = true));
    await this.watchdog.over({ limitMs: this.isHurried ? GRACE_MS : this.limits.of(0), fault }, () => aborting).catch(() => {});
    if (!isOver) this.health.add(this.path + name, aborting);
  }

  private get isHurried(): boolean {
    return this.health.unwell !== null || this.watch.signal?.aborted === true;
  }

  protected async run<T>({ file, limit, act, late }: Operation<T>): Promise<T> {
    const { isCleaning } = this;
    const signal = isCleaning ? undefined : this.watch.signal;
    if (this.health.isDead) throw stalled(file, this.health.unwell ?? 0);
    throwIfAborted(signal);
    let acting: Promise<T> | null = null;
    let isOver = false;
    const over = () => (isOver = true);
    const begin = () => {
      acting = act();
      acting.then(over, over);
      return acting;
    };
    const fault = (seconds: number) => stalled(file, (this.health.unwell = seconds));
    try {
      return await this.watchdog.over({ limitMs: isCleaning && this.isHurried ? GRACE_MS : limit, fault, signal }, begin);
    } catch (error) {
      if (acting !== null && !isOver) {
        // Of another place of the folder as well nothing came.
        this.health.isDead ||= isCleaning;
        if (late) this.health.add(this.path + file, (acting as Promise<T>).then(late).catch(() => {}));
      }
      throw error;
    }
  }

  private refuseUnsettled(name: string): void {
    if (this.unsettled.includes(name)) throw stalled(name, this.health.unwell ?? 0);
  }
}

/** One that holds folders: they are watched as it is. */
export class WatchedFolders extends WatchedFolder implements BatchFolder {
  private constructor(
    protected override readonly inner: BatchFolder,
    watch: FolderWatch,
    health?: Health,
  ) {
    super(inner, watch, health);
  }

  /** As `WatchedFolder.over`. */
  static overAll(folder: BatchFolder, watch: FolderWatch): WatchedFolders {
    return folder instanceof WatchedFolders ? new WatchedFolders(folder.inner, watch, folder.health) : new WatchedFolders(folder, watch);
  }

  async folder(name: string): Promise<WatchedFolder> {
    const found = await this.run({ file: name, limit: this.limits.of(0), act: () => this.inner.folder(name) });
    const watched = new WatchedFolder(found, this.watch, this.health, `${name}/`);
    if (this.isCleaning) watched.cleanUp();
    return watched;
  }

  removeEmpty(name: string): Promise<void> {
    return this.run({ file: name, limit: this.limits.of(0), act: () => this.inner.removeEmpty(name), late: nothing });
  }
}

/** `file` gave nothing for so long. */
export function stalled(file: string, seconds: number): DestinationError {
  return new DestinationError('stalled', `${file} gave nothing for ${seconds} seconds`, { file, actual: seconds });
}
