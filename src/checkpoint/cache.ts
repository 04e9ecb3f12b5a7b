/** Caches of Hugging Face as browsers give them: the blobs without the links of `snapshots/` that name them. */
import { asStudioError } from '../bytes/errors';
import type { StudioError } from '../bytes/errors';
import type { ByteSource } from '../bytes/source';
import { readHeader } from '../format/safetensors/header';
import { checkIndexSize, parseIndex } from '../format/safetensors/index-file';
import { readTorchHeader } from '../format/torch-bin/header';
import { looksLikeAdapter } from './adapter';
import { HEAD_BYTES, blobKind } from './blob-names';
import { checkpointError } from './reasons';
import type { FileEntry } from './types';

type Open = (file: FileEntry) => Promise<ByteSource>;
export interface NamedFiles {
  /** The files given, the blobs that could be named under the paths their links would have had. */
  readonly files: readonly FileEntry[];
  readonly problems: readonly { readonly file: string; readonly error: StudioError }[];
  /** Paths of blobs that a checkpoint does not need or nothing tells the name of. */
  readonly ignored: readonly string[];
}

const IN_CACHE = /^((?:.*\/)?models--[^/]+)\/(blobs|refs|snapshots)\/(.+)$/;
/** Blobs looked at at the same time: a header takes up to 25 MB. */
const AT_ONCE = 4;
/** A commit, as refs/main holds it. */
const COMMIT = /^[0-9a-f]{7,64}$/;

/**
 * No browser follows the links of a folder that is dropped or picked. A cache that came with no file in `snapshots/` gets their
 * names back from what its blobs hold: shards from the index whose tensors they have, the rest from how it begins. Where a cache
 * holds several revisions, the blob that was fetched last is taken for a config or a tokenizer, and said so
 * (`cache-newest-taken`); of shards, which nothing could tell apart, none is (`cache-revisions-mixed`). Never rejects.
 */
export async function nameCaches(files: readonly FileEntry[], open: Open): Promise<NamedFiles> {
  const caches = new Map<string, Cache>();
  for (const file of files) {
    const [, root, part, rest] = IN_CACHE.exec(file.path) ?? [];
    if (root === undefined || rest === undefined) continue;
    const cache = caches.get(root) ?? { root, blobs: [], refs: [], isLinked: false };
    caches.set(root, cache);
    if (part === 'blobs' && /^[0-9a-f]+$/.test(rest)) cache.blobs.push(file);
    else if (part === 'refs') cache.refs.push(file);
    else if (part === 'snapshots') cache.isLinked = true;
  }
  const named = await Promise.all([...caches.values()].filter(({ isLinked, blobs }) => !isLinked && blobs.length > 0).map((cache) => nameBlobs(cache, open)));
  const taken = new Set(named.flatMap(({ seen }) => seen));
  return {
    files: [...files.filter((file) => !taken.has(file)), ...named.flatMap((one) => one.files)],
    problems: named.flatMap(({ problems }) => problems),
    ignored: named.flatMap(({ ignored }) => ignored),
  };
}

interface Cache {
  readonly root: string;
  readonly blobs: FileEntry[];
  readonly refs: FileEntry[];
  isLinked: boolean;
}
/** What is known of one blob. */
interface Blob {
  readonly file: FileEntry;
  readonly kind: ReturnType<typeof blobKind>;
  /** Of weights: the names of their tensors. */
  readonly tensors?: ReadonlySet<string>;
  /** Of an index: which file has which tensors. */
  readonly shards?: ReadonlyMap<string, readonly string[]>;
  readonly error?: StudioError;
}

async function nameBlobs({ root, blobs, refs }: Cache, open: Open): Promise<NamedFiles & { readonly seen: readonly FileEntry[] }> {
  const looked: Blob[] = [];
  const queue = blobs.entries();
  const worker = async () => {
    for (const [i, file] of queue) looked[i] = await lookAt(file, open);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const byName = new Map<string, Blob[]>();
  const add = (name: string, blob: Blob) => byName.set(name, [...(byName.get(name) ?? []), blob]);
  for (const blob of looked) if (blob.kind?.kind === 'named') add(blob.kind.name, blob);
  const mixed = nameWeights(looked, add);

  const newest = (blobs: readonly Blob[]) => blobs.reduce((a, b) => (b.file.modified > a.file.modified ? b : a));
  const twice = [...byName].filter(([, blobs]) => blobs.length > 1).map(([name]) => name);
  const problem = (error: StudioError) => ({ file: error.where.file ?? root, error });
  const problems = looked.flatMap(({ error }) => (error ? [problem(error)] : []));
  if (mixed.length > 0) problems.push(problem(checkpointError('cache-revisions-mixed', root, `${mixed.length} shards come in several revisions`, { names: mixed })));
  else if (twice.length > 0) problems.push(problem(checkpointError('cache-newest-taken', root, `${twice.length} files come in several revisions`, { names: twice })));
  const hasWeights = looked.some(({ tensors, error }) => tensors !== undefined || error !== undefined) || [...byName.keys()].some((name) => /\.(?:gguf|h5)$/.test(name));
  if (!hasWeights) problems.push(problem(checkpointError('cache-links-absent', root, 'blobs without links, and none with weights')));

  const folder = `${root}/snapshots/${await commitOf(refs, open)}`;
  const kept = mixed.length > 0 || !hasWeights ? [] : [...byName].map(([name, blobs]) => ({ name, file: newest(blobs).file }));
  const used = new Set(kept.map(({ file }) => file));
  return {
    files: kept.map(({ name, file }) => ({ ...file, path: `${folder}/${name}` })),
    problems,
    ignored: blobs.filter((file) => !used.has(file)).map(({ path }) => path),
    seen: [...blobs, ...refs],
  };
}

/** Looks at how a blob begins, at its header if it holds weights, and through it if it is an index. Never rejects. */
async function lookAt(file: FileEntry, open: Open): Promise<Blob> {
  try {
    const source = await open(file);
    const kind = blobKind(await source.read(0, Math.min(HEAD_BYTES, source.size)), source.size);
    if (kind?.kind === 'safetensors') return { file, kind, tensors: namesOf(await readHeader(source)) };
    if (kind?.kind === 'torch') {
      // Any other zip is nothing a checkpoint needs.
      const header = await readTorchHeader(source).catch(() => null);
      return header ? { file, kind, tensors: namesOf(header) } : { file, kind: null };
    }
    if (kind?.kind !== 'index') return { file, kind };
    checkIndexSize(source.size, file.path);
    const shards = new Map<string, string[]>();
    const { weightMap } = parseIndex(await source.read(0, source.size), file.path, ['.safetensors', '.bin']);
    for (const [tensor, shard] of weightMap) shards.set(shard, [...(shards.get(shard) ?? []), tensor]);
    return { file, kind, shards };
  } catch (error) {
    return { file, kind: null, error: asStudioError(error) };
  }
}

const namesOf = ({ tensors }: { readonly tensors: readonly { readonly name: string }[] }) => new Set(tensors.map(({ name }) => name));

/**
 * Names weights and indexes: safetensors where there are any, else PyTorch's. An index takes the blobs that have its tensors;
 * without one a blob is a whole model, or an adapter, and several are a model each, named by their hashes. Returns the shards of
 * which there are several.
 */
function nameWeights(blobs: readonly Blob[], add: (name: string, blob: Blob) => void): string[] {
  const isSafetensors = blobs.some(({ kind }) => kind?.kind === 'safetensors');
  const [kind, extension, stem] = isSafetensors ? (['safetensors', '.safetensors', 'model'] as const) : (['torch', '.bin', 'pytorch_model'] as const);
  const weights = blobs.filter((blob) => blob.kind?.kind === kind);
  const indexes = blobs.filter(({ shards }) => shards && [...shards.keys()].every((name) => name.endsWith(extension)));
  const fits = (tensors: readonly string[]) => weights.filter(({ tensors: own }) => own!.size === tensors.length && tensors.every((name) => own!.has(name)));
  const matched = indexes.map((index) => ({ index, shards: [...index.shards!].map(([name, tensors]) => ({ name, found: fits(tensors) })) }));
  // Of several the one that is whole.
  const whole = matched.filter(({ shards }) => shards.every(({ found }) => found.length > 0));
  const chosen = whole.length > 0 ? whole : matched;
  const last = chosen.reduce<(typeof chosen)[number] | null>((a, b) => (a && a.index.file.modified >= b.index.file.modified ? a : b), null);
  if (last) {
    const several = whole.length > 1 ? whole.flatMap(({ shards }) => shards) : last.shards.filter(({ found }) => found.length > 1);
    if (several.length > 0) return [...new Set(several.map(({ name }) => name))];
    add(`${stem}${extension}.index.json`, last.index);
    for (const { name, found } of last.shards) for (const blob of found) add(name, blob);
    return [];
  }
  const isAdapter = (blob: Blob) => looksLikeAdapter([...blob.tensors!].map((name) => ({ name })));
  for (const blob of weights) {
    const hash = blob.file.path.slice(blob.file.path.lastIndexOf('/') + 1);
    const usual = isAdapter(blob) ? 'adapter_model' : stem;
    add(`${weights.length === 1 ? usual : hash.slice(0, 12)}${extension}`, blob);
  }
  return [];
}

/** The commit of refs/main, or of another reference; `main` where none can be read. */
async function commitOf(refs: readonly FileEntry[], open: Open): Promise<string> {
  const ref = refs.find(({ path }) => path.endsWith('/refs/main')) ?? refs[0];
  try {
    const text = ref && ref.size <= 100 ? new TextDecoder().decode(await (await open(ref)).read(0, ref.size)).trim() : '';
    return COMMIT.test(text) ? text : 'main';
  } catch {
    return 'main';
  }
}
