/** The commands. The same plan, backends and run as the page's, composed over the disk. */
import { version } from '../../package.json';
import { DestinationError, IncompatibleCheckpointsError } from '../bytes/errors';
import { contentsOfAll } from '../compose/contents';
import { checkpointsOf, type ExportSubject } from '../compose/export-input';
import { extraFiles, notesOnExtras } from '../compose/extra-files';
import { undertakingOf } from '../compose/undertaking';
import { isExportFile } from '../export/files';
import type { Backend } from '../merge/backend';
import { limitsOf, readAheadWithin } from '../merge/budget';
import type { BackendLimits } from '../merge/budget';
import type { Journal } from '../merge/journal-types';
import type { JournalHooks } from '../merge/journaling';
import { partOfPlan } from '../merge/part';
import { planMerge } from '../merge/plan';
import type { MergePlan } from '../merge/plan-types';
import { readJournal } from '../merge/journal';
import { runMerge } from '../merge/run';
import type { ExtraFile, RunResult } from '../merge/run-types';
import { recomputeSpots } from '../reference/spots';
import { chooseBackend, recheckBackend } from './backends';
import { entriesOf, mergeSeveral, type PlannedEntry } from './batch';
import { LockedFolders } from './batch-folders';
import { DiskDestination, HASHING_NATIVELY } from './disk';
import { joinInto, refuseWhole } from './joining';
import { lockFolder } from './lock';
import { openRecipe, problemLines, type Opened } from './models';
import { oneLine, type Output } from './output';
import { partFolder, recordPart } from './parts';
import { reportProgress } from './progress';
import type { Options } from './usage';
import { verifyFolder } from './verify';

const APPLICATION = `Model Merging Studio ${version}`;
/** Chunks of a plan that is only shown, or joined: no backend bounds them. */
const ANY_CHUNK: BackendLimits = { chunkBytes: 128 * 2 ** 20 };

/** Carries out `options`. Rejects with UsageError, and as plans, runs and the disk do. */
export async function carryOut(options: Options, output: Output, signal: AbortSignal): Promise<void> {
  const opened = await openRecipe(options, signal);
  if (opened.warnings.length > 0) output.write(`${problemLines(options.recipe, opened.warnings)}\n`);
  if (options.command === 'plan') {
    const planned = await planOf(options, opened, ANY_CHUNK);
    output.write(`${planWords(planned.plan)}\n${await fileWords(options, opened, planned)}`);
  } else if (options.command === 'verify') await verify(options, opened, output, signal);
  else await write(options, opened, output, signal);
}

/** What writes has its folder for itself: a part that of the part. */
async function write(options: Options, opened: Opened, output: Output, signal: AbortSignal): Promise<void> {
  // Before hours of merging what could not be joined.
  if (options.part !== null && !options.replace) await refuseWhole(options.out!, opened.paths);
  const folder = options.part === null ? options.out! : partFolder(options.out!, options.part);
  await DiskDestination.make(folder, opened.paths);
  const release = await lockFolder(folder);
  try {
    if (options.command === 'batch') await batch(options, opened, output, signal);
    else if (options.finish !== null) await finish(options, opened, options.finish, output, signal);
    else await merge(options, opened, output, signal);
  } finally {
    await release();
  }
}

interface Planned {
  readonly plan: MergePlan;
  readonly contents: ReadonlyMap<string, string>;
  readonly journal: JournalHooks;
}

/** Rejects with IncompatibleCheckpointsError `undecided`: what is to be decided, and the options that do. */
async function planOf({ shardBytes, memoryBytes }: Options, { recipe, text, choices, checkpoints, openFile }: Opened, limits: BackendLimits, resume: Journal | null = null): Promise<Planned> {
  const used = checkpointsOf(recipe, checkpoints);
  const contents = await contentsOfAll(used, (id, shard) => openFile(used.find((one) => one.id === id)!.shards[shard]!.file));
  const { metadata, journal } = undertakingOf({ application: APPLICATION, recipe, choices, text, shardBytes, checkpoints: used, contents }, resume);
  const plan = planMerge(checkpoints, recipe, choices, { ...limits, shardBytes, readAheadBytes: readAheadWithin(memoryBytes) }, metadata);
  if (plan.refusals.length === 0) return { plan, contents, journal };
  const lines = plan.refusals.map(({ kind, tensor, model, baseShape, modelShape, dtype }) => {
    const shapes = baseShape && modelShape ? `: [${baseShape.join(', ')}] in the base, [${modelShape.join(', ')}] here` : dtype === undefined ? '' : `: ${dtype}`;
    return oneLine(`${kind}: ${tensor} of ${text.paths[model] ?? model}${shapes}`);
  });
  const advice = 'decide with --leave-out, --integer-from or --extra-rows';
  throw new IncompatibleCheckpointsError('undecided', `${plan.refusals.length} differences are to be decided first (${advice}):\n${lines.join('\n')}`);
}

function planWords({ tensors, parameters, shards, bytesRead, bytesWritten, peakBytes, notes }: MergePlan): string {
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;
  const lines = shards.map(({ file, header, payloadBytes }) => `  ${file}  ${gigabytes(header.length + payloadBytes)}`);
  const kinds = [...new Set(notes.map(({ kind }) => kind))].map((kind) => `  ${kind}: ${notes.filter((note) => note.kind === kind).length}`);
  return [
    `${tensors} tensors, ${parameters} parameters; reads ${gigabytes(bytesRead)}, holds at most ${gigabytes(peakBytes)}, writes ${gigabytes(bytesWritten)} in ${shards.length} shards:`,
    ...lines,
    ...(kinds.length > 0 ? ['notes:', ...kinds] : []),
  ].join('\n');
}

async function merge(options: Options, opened: Opened, output: Output, signal: AbortSignal): Promise<void> {
  const { backend, note } = await chooseBackend(options.backend, readAheadWithin(options.memoryBytes));
  try {
    if (note !== null) output.write(`CPU, because: ${note}\n`);
    const planned = await planOf(options, opened, limitsOf(backend), options.resume ? await journalIn(options.out!, opened) : null);
    const whole = planned.plan;
    output.write(await fileWords(options, opened, planned));
    const { part, out } = options;
    const folder = part === null ? out! : partFolder(out!, part);
    const plan = part === null ? whole : partOfPlan(whole, part.part, part.of);
    const extras = part === null ? await extrasOf(options, opened, planned) : [];
    const result = await run(plan, backend, opened, { folder, extras, replace: options.replace || part !== null, journal: part === null ? planned.journal : null, memoryBytes: options.memoryBytes, recheck: options.recheck }, output, signal);
    if (part !== null) await recordPart(folder, whole, backend.info.label, result.files, result.figures);
    const { files, shards, seconds, verified, checked, rechecked, overflow } = result;
    output.write(originWords(shards));
    output.write(`${files.map(({ sha256, name }) => `${sha256}  ${name}`).join('\n')}\n`);
    output.write(`${verified} tensors in ${seconds.toFixed(1)} s on ${backend.info.label}, read again and equal; ${checked.values} values of ${checked.tensors} tensors computed again by the CPU reference${rechecked ? `; all ${rechecked.values} by ${rechecked.by}, ${rechecked.differing} of them rounded by one unit in the last place` : ''}${overflow > 0 ? `; ${overflow} values overflowed the output dtype` : ''}: ${folder}\n`);
  } finally {
    backend.dispose();
  }
}

async function verify(options: Options, opened: Opened, output: Output, signal: AbortSignal): Promise<void> {
  const { backend, note } = await chooseBackend(options.backend, readAheadWithin(options.memoryBytes));
  try {
    if (note !== null) output.write(`CPU, because: ${note}\n`);
    const { plan } = await planOf(options, opened, limitsOf(backend));
    await verifyFolder(options.out!, plan, backend, opened, output, signal);
  } finally {
    backend.dispose();
  }
}

async function batch(options: Options, opened: Opened, output: Output, signal: AbortSignal): Promise<void> {
  const folders = await LockedFolders.make(options.out!, opened.paths);
  const { backend, note } = await chooseBackend(options.backend, readAheadWithin(options.memoryBytes));
  try {
    if (note !== null) output.write(`CPU, because: ${note}\n`);
    const planned: PlannedEntry[] = [];
    for (const entry of entriesOf(options, opened)) {
      const journal = options.resume ? await readJournal(await folders.folder(entry.folder)) : null;
      planned.push({ entry, ...(await planOf(options, { ...opened, recipe: entry.recipe }, limitsOf(backend), journal)) });
    }
    await mergeSeveral(planned, backend, folders, options, opened, APPLICATION, output, signal);
  } finally {
    await folders.release();
    backend.dispose();
  }
}

/** The journal of the unfinished merge in `out`. Rejects with DestinationError `nothing-to-resume`, and as `readJournal` does. */
async function journalIn(out: string, opened: Opened): Promise<Journal> {
  const journal = await readJournal(await DiskDestination.make(out, opened.paths));
  if (journal === null) throw new DestinationError('nothing-to-resume', `${out} holds no unfinished merge`, { file: out });
  return journal;
}

/** Which shards are of an earlier run, and which backend made each where they differ. */
function originWords(shards: RunResult['shards']): string {
  const kept = shards.filter(({ isKept }) => isKept).length;
  const labels = (madeBy: RunResult['shards'][number]['madeBy']) => madeBy.map(({ label }) => label).join(' and ');
  const isMixed = new Set(shards.flatMap(({ madeBy }) => (madeBy.length > 0 ? [labels(madeBy)] : []))).size > 1;
  const by = isMixed ? shards.map(({ file, madeBy }) => `  ${file}: ${labels(madeBy) || 'copied'}\n`).join('') : '';
  return `${kept > 0 ? `${kept} of ${shards.length} shards were finished before, read again and kept\n` : ''}${isMixed ? `made by different backends:\n${by}` : ''}`;
}

interface Target {
  readonly folder: string;
  readonly extras: readonly ExtraFile[];
  readonly replace: boolean;
  /** Null for a part: it is run again as a whole. */
  readonly journal: JournalHooks | null;
  readonly memoryBytes: number;
  readonly recheck: boolean;
}

async function run(plan: MergePlan, backend: Backend, opened: Opened, { folder, extras, replace, journal, memoryBytes, recheck }: Target, output: Output, signal: AbortSignal): Promise<RunResult> {
  const destination = await DiskDestination.make(folder, opened.paths);
  const { onProgress, end } = reportProgress(output);
  try {
    return await runMerge(plan, backend, opened.openShard, destination, {
      signal,
      extras,
      replace,
      isExportFile,
      ...(journal ? { journal } : {}),
      onLeftBehind: output.leave,
      onProgress,
      readAheadBytes: readAheadWithin(memoryBytes),
      hashing: HASHING_NATIVELY,
      recompute: recomputeSpots,
      ...(recheck ? { recheckBy: () => recheckBackend(backend.info, readAheadWithin(memoryBytes)) } : {}),
    });
  } finally {
    end();
  }
}

function extrasOf(options: Options, opened: Opened, planned: Planned): Promise<ExtraFile[]> {
  return extraFiles(subjectOf(options, opened, planned), opened.openFile);
}

/** What will be missing or wrong beside the weights, a line each. */
async function fileWords(options: Options, opened: Opened, planned: Planned): Promise<string> {
  const notes = await notesOnExtras(subjectOf(options, opened, planned), opened.openFile);
  return notes
    .filter(({ kind }) => kind !== 'config-changed')
    .map((note) => `${oneLine(`${note.kind}: ${note.model}`)}${note.kind === 'tokenizer-larger' ? ` has ${note.tokens} tokens, ${note.rows} rows are written` : ''}\n`)
    .join('');
}

function subjectOf({ out }: Options, { recipe, text, choices, checkpoints }: Opened, { plan, contents }: Planned): Omit<ExportSubject, 'config'> {
  const name = out?.split(/[/\\]/).filter(Boolean).at(-1) ?? 'merged-model';
  return { name, application: APPLICATION, recipe, text, choices, contents, checkpoints: checkpointsOf(recipe, checkpoints), plan };
}

/** Joins the parts. */
async function finish(options: Options, opened: Opened, of: number, output: Output, signal: AbortSignal): Promise<void> {
  const planned = await planOf(options, opened, ANY_CHUNK);
  const extras = await extrasOf(options, opened, planned);
  const files = await joinInto(options.out!, { plan: planned.plan, of, extras, replace: options.replace, sources: opened.paths }, signal);
  output.write(`${files.map(({ sha256, name }) => `${sha256}  ${name}`).join('\n')}\n${of} parts joined: ${options.out!}\n`);
}
