/** Running a plan: read, merge, write, finish, read again. */
import { CancelledError, DestinationError, IncompatibleCheckpointsError, OutOfMemoryError, asStudioError } from '../bytes/errors';
import { JOURNAL_FILE } from '../bytes/source';
import { HASHING_HERE, withHashing, type WithHashing } from '../bytes/hashing';
import { MemorySource } from '../bytes/source';
import type { ByteSource, Destination } from '../bytes/source';
import { Watchdog } from '../bytes/watchdog';
import { throwIfAborted } from './abort';
import type { Backend, SlotResult } from './backend';
import { copyPart } from './copying';
import { FirstFault } from './first-fault';
import { CONFIG_FILE, OutputFolder } from './folder';
import { mergeStep, refuseNonfinite } from './groups';
import type { GroupOutcome } from './groups';
import { compareIntegers } from './integers';
import { COPY_BYTES, READ_AHEAD_BYTES, HASHED_AT_ONCE, WRITE_BYTES } from './io-sizes';
import type { FinishedShard } from './journal-types';
import { Journaling, leavesShards } from './journaling';
import { Pipeline } from './pipeline';
import type { PipelineMeans, StepRunner } from './pipeline';
import { rankPlan } from './plan-ranking';
import type { MergePlan, MergeStep, OutputShard, Step } from './plan-types';
import { Meter } from './progress';
import { Sources } from './reading';
import type { OpenShard, ReadWatch } from './reading';
import { recheckPlan, type Rechecked } from './recheck';
import { keepShards, refuseAnother, workDone } from './resuming';
import type { KeptShard } from './resuming';
import type { FinishedFile, RunHooks, RunResult } from './run-types';
import { ShardRecord, sumShards } from './shard-record';
import { INDEX_FILE } from './shards';
import { sideBySide } from './side-by-side';
import { readPiece, verifyFile } from './verifying';
import type { ReadPiece } from './verifying';
import { WatchedFolder } from './watched-folder';
import { ShardWriter } from './writing';

/**
 * Executes a plan and leaves in `destination` either a finished, verified export or no weights of this run that load.
 *
 * Reading, computing and writing overlap (see `Pipeline`): while the backend has some groups, the next one's inputs are read and
 * the last one's output is written. Shards become final as they are finished; extras follow, everything is read again and compared with
 * what was handed over, and what makes the folder load comes last: the index, or for a single weight file the config.json.
 *
 * With `replace`, nothing becomes final before every tensor is merged, so that a failure until then leaves the old export whole.
 *
 * With `journal` a journal lies in the folder while the run is under way. A run that fails or is cancelled then leaves it with the
 * shards that are finished, or nothing; with `journal.resume` a run keeps those of them that are still true, which it reads again
 * first, and gives byte for byte what one run would have given, on the same backend.
 *
 * Input values are looked at while they are merged, not in a pass of their own, which would double the reading: at the first
 * group with NaN or infinite values the run stops, removes what it wrote and names what that group held (merging.md section 8).
 *
 * Before anything that makes the folder load becomes final, some of what every source gave is read again: a merge of a file that was
 * written meanwhile is of neither state.
 *
 * Rejects with IncompatibleCheckpointsError `undecided` (a plan with refusals), `integer-differs` (before anything is written)
 * or `nonfinite`; StudioError `computed-differs` or `recheck-differs`; DestinationError `not-empty`, `unfinished`, `journal-of-another` or `verification-failed`; CancelledError; and as sources, sinks and the backend do.
 */
export async function runMerge(plan: MergePlan, backend: Backend, openShard: OpenShard, destination: Destination, hooks: RunHooks): Promise<RunResult> {
  if (plan.refusals.length > 0) {
    const names = plan.refusals.map(({ tensor }) => tensor);
    throw new IncompatibleCheckpointsError('undecided', `${names.length} differences are to be decided first`, { names });
  }
  const extras = hooks.extras ?? [];
  const names = [...plan.shards.map(({ file }) => file), ...(plan.index === null ? [] : [INDEX_FILE]), ...extras.map(({ name }) => name)];
  const resume = hooks.journal?.resume ?? null;
  if (new Set(names).size < names.length) throw new DestinationError('name-twice', 'two files of the export have one name', { names });
  throwIfAborted(hooks.signal);
  if (resume) refuseAnother(destination.name, resume, hooks.journal!.subject, plan);
  const watchdog = hooks.watchdog ?? new Watchdog();
  const watched = WatchedFolder.over(destination, { watchdog, signal: hooks.signal });
  const folder = await OutputFolder.prepare(watched, { names, replace: hooks.replace ?? false, isExportFile: hooks.isExportFile, resume });
  const run = new Run(plan, backend, openShard, watched, folder, watchdog, hooks);
  try {
    return await run.all();
  } catch (error) {
    // What it stumbled over before it was told to stop is why it stopped, however long it takes to clean up.
    const isCancelled = hooks.signal?.aborted === true;
    await run.abandon(error);
    if (isCancelled) throw new CancelledError();
    throw asStudioError(error);
  } finally {
    backend.buffers?.clear();
  }
}

/** A file whose bytes are all with its sink, final or not. */
interface Filled {
  readonly name: string;
  readonly writer: ShardWriter;
  /** Null for a file that is no weights. */
  readonly shard: OutputShard | null;
}

class Run {
  private readonly meter: Meter;
  private readonly sources: Sources;
  /** Met by whoever waits for a pause to end: what fails meanwhile is told at once. */
  private readonly fault = new FirstFault();
  private readonly means: PipelineMeans;
  /** Null until the tensors are ranked. */
  private pipeline: StepRunner<GroupOutcome> | null = null;
  private readonly figures = new Map<string, SlotResult>();
  /** Sinks that are open. */
  private readonly unfinished = new Set<ShardWriter>();
  private readonly journaling: Journaling | null;
  /** Shards of an earlier run, by file. */
  private kept: ReadonlyMap<string, KeptShard> = new Map();
  /** Shards that are made, and those that were kept, in the order of writing. */
  private readonly shards: FinishedShard[] = [];
  /** Of files that are read again. */
  private readonly hashed: WithHashing;
  private isTakenUp = false;
  private isAbandoned = false;

  constructor(
    private readonly plan: MergePlan,
    backend: Backend,
    private readonly openShard: OpenShard,
    private readonly destination: WatchedFolder,
    private readonly folder: OutputFolder,
    private readonly watchdog: Watchdog,
    private readonly hooks: RunHooks,
  ) {
    this.journaling = hooks.journal ? new Journaling(plan, destination, hooks.journal, folder.names, folder.replaces) : null;
    this.meter = new Meter(plan, hooks.onProgress, hooks.now ?? (() => performance.now()));
    const { signal, recompute } = hooks;
    this.hashed = withHashing(hooks.hashing, watchdog, signal);
    let readAheadBytes = hooks.readAheadBytes ?? READ_AHEAD_BYTES;
    const watch: ReadWatch = {
      ready: () => this.ready(),
      reading: (bytes, read) => this.meter.reading(bytes, read),
      short: () => (readAheadBytes = Math.ceil(readAheadBytes / 2)),
      copyBytes: hooks.copyBytes,
      signal,
      watchdog,
    };
    const sources = (this.sources = new Sources(openShard, watch, (request) => backend.adapt(request, signal), backend));
    this.means = {
      backend,
      sources,
      meter: this.meter,
      signal,
      // Of the groups that begin from now on.
      get readAheadBytes() {
        return readAheadBytes;
      },
      recompute,
      onFault: (reason) => this.fault.tell(reason),
    };
  }

  async all(): Promise<RunResult> {
    await this.takeUp();
    this.isTakenUp = true;
    await compareIntegers(this.plan.integersToCompare, this.sources);
    await this.journaling?.write();
    const ranked = await rankPlan(this.plan, this.means);
    const steps = ranked.filter(({ shard }) => !this.kept.has(this.plan.shards[shard]!.file));
    this.pipeline = this.hooks.stepsBy?.(steps, this.means) ?? new Pipeline(steps, this.means, mergeStep);
    const shards = await this.fillShards(this.pipeline, steps);
    // A single file takes the place of another at once or not at all: until then the older export can stay.
    const isAtOnce = shards.length === 1 && this.folder.replaces.includes(shards[0]!.name);
    // Without an index it is the config by which a folder loads: it is written when all is checked.
    const isLast = (name: string) => this.plan.index === null && name === CONFIG_FILE;
    const extras = await this.fillExtras((name) => !isLast(name));
    await this.sources.unchanged();
    await this.pipeline.unchanged?.();
    this.meter.enter('finalising');
    if (this.replaces) {
      await this.record(shards);
      const clear = () => this.folder.clearOld([...shards, ...extras].map(({ name }) => name));
      await (isAtOnce ? this.folder.setConfigAside() : clear());
      await this.finish(shards);
      await this.journaling?.replaced();
      if (isAtOnce) await clear();
      await this.finish([...extras.filter(({ name }) => name !== CONFIG_FILE), ...extras.filter(({ name }) => name === CONFIG_FILE)]);
    } else {
      await this.finish(extras);
      await this.finishShards(shards.filter(({ writer }) => this.unfinished.has(writer)));
    }
    this.meter.enter('verifying');
    const verified = await sideBySide([...shards, ...extras], HASHED_AT_ONCE, (file) => this.verify(file));
    const rechecked = await this.recheck();
    const { index } = this.plan;
    const last = index === null ? await this.fillExtras(isLast) : [await this.fill(INDEX_FILE, new MemorySource(INDEX_FILE, new TextEncoder().encode(index)))];
    await this.finish(last);
    for (const file of last) verified.push(await this.verify(file));
    await this.journaling?.remove();
    const { tensors } = this.plan;
    const kept = [...this.kept.values()].map(({ file: name, bytes, sha256 }) => ({ name, bytes, sha256 }));
    const place = ({ name }: FinishedFile) => this.plan.shards.findIndex(({ file }) => file === name) >>> 0;
    return { files: [...kept, ...verified].sort((a, b) => place(a) - place(b)), figures: this.figures, tensors, verified: tensors, rechecked, seconds: this.meter.elapsedMs / 1000, ...sumShards(this.shards, this.kept) };
  }

  /** Gives up what is open and removes what was finished, but for shards that the journal can tell of. Never rejects. */
  async abandon(error: unknown): Promise<void> {
    this.isAbandoned = true;
    // Whoever waits for a pause to end is let go.
    this.fault.tell(new CancelledError());
    this.meter.stop();
    await this.pipeline?.stop();
    this.destination.cleanUp();
    await Promise.all([...this.unfinished].map((writer) => writer.abort()));
    // Not even what is there was looked at: it is as it was.
    if (!this.isTakenUp) return;
    const { reason, where } = asStudioError(error);
    const isResumable = this.journaling !== null && this.plan.index !== null && leavesShards(error);
    const keep = new Set(isResumable ? [...this.kept.keys(), ...this.shards.map(({ file }) => file).filter((file) => this.folder.hasFinished(file))] : []);
    if (reason === 'verification-failed') keep.delete(where.file ?? '');
    const left = await this.folder.discard(keep, this.destination.unsettled);
    if (this.journaling && !(await this.journaling.settle(keep, left.length > 0))) left.push(JOURNAL_FILE);
    if (left.length > 0) this.hooks.onLeftBehind?.(left);
    // One whose closing failed may be there or not.
    const present = keep.size === 0 ? [] : await this.destination.list().catch(() => [...keep]);
    this.hooks.onKept?.(present.filter((name) => keep.has(name)).sort());
  }

  private get replaces(): boolean {
    return this.folder.replaces.length > 0;
  }

  /** Keeps what an earlier run finished. */
  private async takeUp(): Promise<void> {
    const { journal } = this.hooks;
    if (!journal?.resume) return;
    this.meter.enter('checking');
    this.kept = await keepShards(journal.resume, this.plan, this.folder, journal, (...piece) => this.readAgain(true, ...piece), this.hashed);
    this.journaling!.add([...this.kept.values()]);
    this.meter.keeping(workDone(this.plan, this.kept));
    this.meter.enter('reading');
  }

  /** With another backend; before what makes several shards load. */
  private async recheck(): Promise<Rechecked | null> {
    const { recheckBy, recheckTurn = (recheck) => recheck(this.openShard), signal, ready, onProgress } = this.hooks;
    if (!recheckBy) return null;
    const hooks = { readAheadBytes: this.means.readAheadBytes, watchdog: this.watchdog, ...(signal ? { signal } : {}), ...(ready ? { ready } : {}), ...(onProgress ? { onProgress } : {}) };
    return recheckTurn((openShard) => {
      const backend = recheckBy();
      return recheckPlan(this.plan, backend, openShard, this.destination, hooks).finally(() => backend.dispose());
    });
  }

  /** Merges and copies everything. Several shards are finished as they are filled, unless they replace an older export. */
  private async fillShards(pipeline: StepRunner<GroupOutcome>, steps: readonly Step[]): Promise<Filled[]> {
    const { shards } = this.plan;
    const filled: Filled[] = [];
    let at = 0;
    pipeline.begin();
    for (const [index, shard] of shards.entries()) {
      const kept = this.kept.get(shard.file);
      if (kept) {
        for (const [tensor, result] of kept.figures) this.counted(tensor, result);
        this.shards.push(kept);
        continue;
      }
      const record = new ShardRecord(shard.file);
      const writer = await this.create(shard.file, shard.header.length + shard.payloadBytes);
      await writer.write(shard.header);
      for (; steps[at]?.shard === index; at++) {
        await this.ready();
        const step = steps[at]!;
        await (step.kind === 'copy' ? this.copy(pipeline, step, at, writer, record) : this.merge(pipeline, step, at, writer, record));
      }
      await writer.finish();
      filled.push({ name: shard.file, writer, shard });
      this.shards.push(record.finished(writer));
      if (shards.length > 1 && !this.replaces) await this.finishShards(filled.slice(-1));
    }
    return filled;
  }

  private async merge(pipeline: StepRunner<GroupOutcome>, step: MergeStep, at: number, writer: ShardWriter, record: ShardRecord): Promise<void> {
    const { result, tailOverflow, madeBy, checked } = await pipeline.finish(at, (bytes) => writer.write(bytes));
    if (!this.plan.allowNonfinite) refuseNonfinite(step, result);
    step.group.slots.forEach(({ name }, s) => {
      record.merged(name, result.slots[s]!);
      this.counted(name, result.slots[s]!);
    });
    record.overflowed(tailOverflow);
    record.group(madeBy, checked);
    this.meter.finish(step.group.slots.length);
  }

  private counted(tensor: string, result: SlotResult): void {
    this.figures.set(tensor, result);
    this.hooks.onTensor?.(tensor, result);
  }

  private async copy(pipeline: StepRunner<GroupOutcome>, { parts }: Step & { kind: 'copy' }, at: number, writer: ShardWriter, record: ShardRecord): Promise<void> {
    pipeline.pass(at);
    for (const part of parts) record.overflowed(await copyPart(part, this.sources, (bytes) => writer.write(bytes)));
    this.meter.finish(1);
  }

  /** Writes the extras' bytes without making them final. */
  private async fillExtras(isWanted: (name: string) => boolean): Promise<Filled[]> {
    const filled: Filled[] = [];
    for (const { name, content } of this.hooks.extras ?? []) {
      if (!isWanted(name)) continue;
      await this.ready();
      const made = typeof content === 'function' ? await content(this.figures) : content;
      filled.push(await this.fill(name, made instanceof Uint8Array ? new MemorySource(name, made) : made));
    }
    return filled;
  }

  private async fill(name: string, source: ByteSource): Promise<Filled> {
    const writer = await this.create(name, source.size, false);
    for (let begin = 0; begin < source.size; begin += COPY_BYTES) {
      await this.ready();
      await writer.write(await source.read(begin, Math.min(source.size, begin + COPY_BYTES)));
    }
    await writer.finish();
    return { name, writer, shard: null };
  }

  /** `counted`: whether its bytes belong to the progress, which is about weights. */
  private async create(name: string, fileBytes: number, counted = true): Promise<ShardWriter> {
    await this.ready();
    const sink = await this.folder.create(name);
    const told = (writing: Promise<void>) => writing.catch((error: unknown) => {
      this.fault.tell(error);
      throw error;
    });
    const watch = { writing: (bytes: number, write: () => Promise<void>) => told(counted ? this.meter.writing(bytes, write) : write()) };
    try {
      const { hashing = HASHING_HERE, signal } = this.hooks;
      const digest = (piece: Uint8Array<ArrayBuffer>) => this.watchdog.until(signal, () => hashing.piece(piece));
      const writer = new ShardWriter(sink, watch, digest, fileBytes, this.hooks.pieceBytes);
      this.unfinished.add(writer);
      return writer;
    } catch {
      // Nobody else knows that the file is open.
      await sink.abort();
      const bytes = Math.min(this.hooks.pieceBytes ?? WRITE_BYTES, fileBytes);
      const file = `${this.destination.name}/${name}`;
      throw new OutOfMemoryError('host-memory', `no memory for ${bytes} bytes of ${file}`, { file, expected: bytes });
    }
  }

  private async finish(files: readonly Filled[]): Promise<void> {
    for (const { name, writer } of files) {
      await this.ready();
      await this.folder.finish(name, writer);
      this.unfinished.delete(writer);
    }
  }

  /** Makes weight files final that are whole: the journal is told first, so that none is there that it does not know. */
  private async finishShards(files: readonly Filled[]): Promise<void> {
    await this.record(files);
    await this.finish(files);
  }

  private async record(files: readonly Filled[]): Promise<void> {
    if (!this.journaling || files.length === 0) return;
    this.journaling.add(this.shards.filter(({ file }) => files.some(({ name }) => name === file)));
    await this.journaling.write();
  }

  private async readAgain(isCounted: boolean, ...[source, begin, end, take]: Parameters<ReadPiece>): Promise<Uint8Array<ArrayBuffer>> {
    await this.ready();
    const piece = () => readPiece(source, begin, end, take);
    return isCounted ? this.meter.verifying(end - begin, piece) : piece();
  }

  private async verify({ name, writer, shard }: Filled): Promise<FinishedFile> {
    const source = await this.destination.open(name);
    const read: ReadPiece = (...piece) => this.readAgain(shard !== null, ...piece);
    const { position: bytes, digests, pieceBytes } = writer;
    const sha256 = await this.hashed((hashing) => verifyFile(source, { name, bytes, digests, pieceBytes, shard }, read, hashing.file()));
    return { name, bytes, sha256 };
  }

  /** Resolves when the run may go on; rejects with CancelledError when it is to stop. */
  private async ready(): Promise<void> {
    this.throwIfOver();
    if (!this.hooks.ready) return;
    await this.meter.pausing(() => this.fault.during(this.hooks.ready!));
    this.throwIfOver();
  }

  private throwIfOver(): void {
    throwIfAborted(this.hooks.signal);
    // What is still being read ahead stops as well.
    if (this.isAbandoned) throw new CancelledError();
  }
}
