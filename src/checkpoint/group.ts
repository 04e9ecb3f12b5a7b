/** Which files belong together: from paths alone, before anything is read. */
import type { MalformedFileError } from '../bytes/errors';
import { compareUtf8 } from '../bytes/utf8';
import { MAX_SHARDS } from '../format/safetensors/limits';
import { checkpointError, someOf } from './reasons';
import type { CheckpointReason } from './reasons';
import type { FileEntry } from './types';

/** The files of one checkpoint-to-be. */
export interface CheckpointFiles {
  /** '' for files dropped without a folder. */
  readonly folder: string;
  /** What the display name ends in when the folder does not say it: the weights' file name without extension and numbers. */
  readonly stem: string | null;
  readonly weights: Weights;
  readonly sidecars: readonly FileEntry[];
}
export type Weights =
  | { readonly kind: 'files'; readonly files: readonly FileEntry[] }
  /** The index decides which of the files beside it are shards. */
  | { readonly kind: 'index'; readonly index: FileEntry; readonly beside: ReadonlyMap<string, FileEntry> };

export interface Grouping {
  readonly groups: readonly CheckpointFiles[];
  readonly problems: readonly { readonly file: string; readonly error: MalformedFileError }[];
  /** Paths of files that are none of a checkpoint's. */
  readonly ignored: readonly string[];
}

const SHARD_NUMBERS = /^(.*)-(\d{1,6})-of-(\d{1,6})$/;
/** What a training run leaves beside its weights, under their extensions. */
const LEFTOVERS = /^(?:training_args|optimizer|scheduler|rng_state|scaler)/i;
/** Weights in formats that are not read here, and what is said of them. */
const OTHER_WEIGHTS: readonly (readonly [reason: CheckpointReason, name: RegExp])[] = [
  ['weights-gguf', /\.(?:gguf|ggml)$/i],
  ['weights-tensorflow', /\.(?:h5|keras|pb)$|\.ckpt(?:-\d+)?\.(?:index|meta|data-\d+-of-\d+)$/i],
  ['weights-flax', /\.msgpack$/i],
  ['weights-onnx', /\.onnx(?:_data)?$/i],
  ['weights-not-safetensors', /\.(?:ckpt|npz|mlmodel|tflite)$/i],
];

/** The formats that are read, in the order transformers prefers them: the first of which a folder has any is taken. */
interface Format {
  readonly extensions: readonly string[];
  /** What a folder's own weights are called; others beside them are ignored. */
  readonly primary: string;
}
/** What PEFT calls an adapter's file. */
const ADAPTER = 'adapter_model';
const FORMATS: readonly Format[] = [
  { extensions: ['.safetensors'], primary: 'model' },
  { extensions: ['.bin', '.pt', '.pth'], primary: 'pytorch_model' },
];
/** What a folder needs beside the shards to load: tokenizer.json takes 35 MB in the largest vocabularies, .py is `auto_map` code. */
const SIDECAR = /\.(?:json|txt|model|jinja|tiktoken|py)$/i;
const NOT_SIDECAR = /^(?:readme|license|notice|requirements|trainer_state\.|(?:\w+_)?results\.|.*\.index\.json$)/i;
const MAX_SIDECAR_BYTES = 128 * 2 ** 20;

/**
 * Groups dropped files into checkpoints, folder by folder, the same whatever the order of `files`:
 * `model.safetensors`, or else the shards of `model.safetensors.index.json`, or else `model-00001-of-0000N.safetensors`
 * without an index; what transformers would not load is ignored and listed. Where there is no safetensors file, PyTorch's
 * `pytorch_model.bin` and its shards likewise. In a folder (not among loose files) that has a `model`, other safetensors
 * (`consolidated`, adapters) are ignored too. Any other weight file is a checkpoint of its own, named by the file. A path given twice counts once, the later entry. Hidden files and folders are left out
 * without being listed: `.git`, `.cache` and the `._` companions that macOS writes on foreign disks.
 */
export function groupFiles(files: readonly FileEntry[]): Grouping {
  const byPath = new Map(files.filter(({ path }) => !isHidden(path)).map((file) => [file.path, file]));
  const folders = new Map<string, Map<string, FileEntry>>();
  for (const file of [...byPath.values()].sort((a, b) => compareUtf8(a.path, b.path))) {
    const { folder, name } = splitPath(file.path);
    const inFolder = folders.get(folder) ?? new Map<string, FileEntry>();
    folders.set(folder, inFolder.set(name, file));
  }
  const groupings = [...folders].map(([folder, inFolder]) => groupFolder(folder, inFolder));
  return {
    groups: groupings.flatMap(({ groups }) => groups),
    problems: groupings.flatMap(({ problems }) => problems),
    ignored: groupings.flatMap(({ ignored }) => ignored),
  };
}

/** Folder ('' for none) and file name of a path. */
export function splitPath(path: string): { folder: string; name: string } {
  const slash = path.lastIndexOf('/');
  return { folder: path.slice(0, Math.max(0, slash)), name: path.slice(slash + 1) };
}

const isHidden = (path: string) => path.split('/').some((part) => part.startsWith('.'));

/** Weight files of one stem: `model` of `model.safetensors`, its index and its numbered shards. */
interface Stem {
  single?: FileEntry;
  index?: FileEntry;
  /** By the number after `-of-`, as written. */
  readonly numbered: Map<string, FileEntry[]>;
}

function groupFolder(folder: string, files: ReadonlyMap<string, FileEntry>): Grouping {
  const { format, stems } = readStems(files);
  const used = new Set<FileEntry>();
  const problems: Grouping['problems'][number][] = [];
  const found: { stem: string; weights: Weights }[] = [];
  const primary = stems.get(format.primary);
  for (const [stem, its] of folder !== '' && primary ? [[format.primary, primary] as const] : stems) {
    if (its.single) found.push({ stem, weights: { kind: 'files', files: [its.single] } });
    else if (its.index) found.push({ stem, weights: { kind: 'index', index: its.index, beside: weightFiles(files, format) } });
    else {
      for (const [of, shards] of its.numbered) {
        const problem = numberingProblem(folder, stem, of, shards);
        if (problem) problems.push({ file: problem.where.file!, error: problem });
        else found.push({ stem, weights: { kind: 'files', files: shards } });
        shards.forEach((shard) => used.add(shard));
      }
    }
  }
  for (const { weights } of found) {
    if (weights.kind === 'files') weights.files.forEach((file) => used.add(file));
    // Which files beside an index are not its shards is known when it has been read.
    else [weights.index, ...weights.beside.values()].forEach((file) => used.add(file));
  }
  const sidecars = stems.size === 0 ? [] : [...files].filter(([name, file]) => isSidecar(name, file)).map(([, file]) => file);
  sidecars.forEach((file) => used.add(file));
  if (stems.size === 0) {
    for (const [reason, pattern] of OTHER_WEIGHTS) {
      const foreign = [...files].filter(([name]) => pattern.test(name)).map(([, file]) => file);
      foreign.forEach((file) => used.add(file));
      if (foreign.length > 0) problems.push(foreignWeights(reason, foreign));
    }
  }
  const named = found.length > 1 || folder === '';
  return {
    groups: found.map(({ stem, weights }) => {
      const isLooseFile = weights.kind === 'files' && stems.get(stem)?.single !== undefined && stem !== format.primary && stem !== ADAPTER;
      return { folder, stem: named || isLooseFile ? stem : null, weights, sidecars };
    }),
    problems,
    ignored: [...files.values()].filter((file) => !used.has(file)).map(({ path }) => path),
  };
}

/** The weight files of the first format of which there are any, by stem. */
function readStems(files: ReadonlyMap<string, FileEntry>): { format: Format; stems: Map<string, Stem> } {
  for (const format of FORMATS) {
    const stems = stemsOf(files, format);
    if (stems.size > 0) return { format, stems };
  }
  return { format: FORMATS[0]!, stems: new Map() };
}

function stemsOf(files: ReadonlyMap<string, FileEntry>, format: Format): Map<string, Stem> {
  const stems = new Map<string, Stem>();
  const stemOf = (name: string): Stem => {
    const stem = stems.get(name) ?? { numbered: new Map() };
    stems.set(name, stem);
    return stem;
  };
  for (const [name, file] of files) {
    const indexed = format.extensions.find((extension) => name.endsWith(`${extension}.index.json`));
    if (indexed !== undefined) stemOf(name.slice(0, -`${indexed}.index.json`.length)).index = file;
    const whole = withoutExtension(name, format);
    if (whole === null) continue;
    const [, stem, number, of] = SHARD_NUMBERS.exec(whole) ?? [];
    if (stem !== undefined && number !== undefined && of !== undefined) {
      // A shard beyond its own count belongs to nothing and stays ignored.
      if (Number(number) < 1 || Number(number) > Number(of)) continue;
      const { numbered } = stemOf(stem);
      numbered.set(of, [...(numbered.get(of) ?? []), file]);
    } else stemOf(whole).single = file;
  }
  return stems;
}

/** A weight file's name without its extension; null for what is none of the format's. */
function withoutExtension(name: string, { extensions }: Format): string | null {
  const extension = extensions.find((one) => name.endsWith(one));
  return extension === undefined || LEFTOVERS.test(name) ? null : name.slice(0, -extension.length);
}

const weightFiles = (files: ReadonlyMap<string, FileEntry>, format: Format) => new Map([...files].filter(([name]) => withoutExtension(name, format) !== null));

/** Why shards `stem-*-of-{of}` without an index are not a whole checkpoint, or null. */
function numberingProblem(folder: string, stem: string, of: string, shards: readonly FileEntry[]): MalformedFileError | null {
  const count = Number(of);
  const file = shards[0]!.path;
  if (count > MAX_SHARDS) {
    return checkpointError('too-many-shards', file, `one of ${count} shards`, { expected: MAX_SHARDS, actual: count });
  }
  const extension = /\.[^.]*$/.exec(file)![0];
  const written = shards.map(({ path }) => SHARD_NUMBERS.exec(splitPath(path).name.slice(0, -extension.length))![2]!);
  const present = new Set(written.map(Number));
  if (present.size === count) return null;
  const width = Math.max(...written.map(({ length }) => length));
  const missing = Array.from({ length: count }, (_, i) => i + 1)
    .filter((number) => !present.has(number))
    .map((number) => `${stem}-${String(number).padStart(width, '0')}-of-${of}${extension}`);
  return checkpointError('missing-shards', folder || file, `${missing.length} of ${count} shards are missing: ${someOf(missing)}`, {
    names: missing,
    expected: count,
    actual: present.size,
  });
}

function isSidecar(name: string, file: FileEntry): boolean {
  return SIDECAR.test(name) && !NOT_SIDECAR.test(name) && file.size <= MAX_SIDECAR_BYTES;
}

function foreignWeights(reason: CheckpointReason, files: readonly FileEntry[]): Grouping['problems'][number] {
  const file = files[0]!.path;
  const names = files.map(({ path }) => splitPath(path).name);
  return { file, error: checkpointError(reason, file, 'weights in a format that is not read', { names }) };
}
