/** Dropped files to checkpoints, from headers alone: two reads of a safetensors shard at most, however large it is. */
import { SourceChangedError, asStudioError } from '../bytes/errors';
import type { StudioError } from '../bytes/errors';
import type { ByteSource } from '../bytes/source';
import { sha256Hex } from '../bytes/sha256';
import { compareUtf8 } from '../bytes/utf8';
import { readHeader } from '../format/safetensors/header';
import type { SafetensorsHeader } from '../format/safetensors/header';
import { checkIndexSize, parseIndex } from '../format/safetensors/index-file';
import { MAX_ENTRIES } from '../format/safetensors/limits';
import { readTorchHeader } from '../format/torch-bin/header';
import { adapterTargets, looksLikeAdapter } from './adapter';
import { parseAdapterConfig } from './adapter-config';
import { nameCaches } from './cache';
import { MAX_CONFIG_BYTES, parseConfig } from './config';
import { groupFiles, splitPath } from './group';
import type { CheckpointFiles } from './group';
import { identify } from './identity';
import type { ShardIdentity } from './identity';
import { displayNames } from './names';
import { checkpointError, someOf } from './reasons';
import type { AdapterConfig, Checkpoint, FileEntry, ModelConfig, Shard, TensorEntry } from './types';

export type OpenSource = (file: FileEntry) => Promise<ByteSource>;
interface Problem {
  readonly file: string;
  readonly error: StudioError;
}
export interface OpenedCheckpoints {
  /** By path, whatever the order of the files. */
  readonly checkpoints: Checkpoint[];
  /**
   * Why a checkpoint is not in the list, or (`config-unreadable`, `cache-newest-taken`) what is wrong with one that is. `reason` is a
   * MalformedReason, a CheckpointReason or one of the source's own.
   */
  readonly problems: Problem[];
  /** Paths that are none of a checkpoint's. */
  readonly ignored: string[];
}

/** Checkpoints read at the same time: hides the latency of a disk while at most four headers (25 MB each) are held. */
const AT_ONCE = 4;

/**
 * Opens every checkpoint among `files`; see `groupFiles` for what belongs together, `nameCaches` for caches
 * whose links are absent. A checkpoint with any fault (a bad
 * shard, missing shards, a tensor twice, an index that disagrees with the headers) becomes a problem that names it and
 * does not stop the others. Never rejects for the sake of a file.
 */
export async function openCheckpoints(files: readonly FileEntry[], open: OpenSource): Promise<OpenedCheckpoints> {
  const named = await nameCaches(files, open);
  const { groups, problems, ignored } = groupFiles(named.files);
  const results: GroupResult[] = [];
  const queue = groups.entries();
  const worker = async () => {
    for (const [i, group] of queue) results[i] = await openGroup(group, open);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const opened = results.flatMap(({ nameless }, i) => (nameless ? [{ nameless, group: groups[i]! }] : []));
  const names = displayNames(opened.map(({ group }) => group));
  return {
    checkpoints: opened.map(({ nameless }, i) => ({ ...nameless, name: names[i]! })),
    problems: withoutRepeats([...named.problems, ...problems, ...results.flatMap((result) => result.problems)]),
    ignored: [...named.ignored, ...ignored, ...results.flatMap((result) => result.ignored)],
  };
}

interface GroupResult {
  readonly nameless: Omit<Checkpoint, 'name'> | null;
  readonly problems: readonly Problem[];
  readonly ignored: readonly string[];
}

async function openGroup(group: CheckpointFiles, open: OpenSource): Promise<GroupResult> {
  const problems: Problem[] = [];
  const attempt = async <T>(file: string, act: () => Promise<T>): Promise<T | null> => {
    try {
      return await act();
    } catch (error) {
      problems.push({ file, error: asStudioError(error) });
      return null;
    }
  };
  const { weights, folder, sidecars } = group;
  const indexPath = weights.kind === 'index' ? weights.index.path : null;
  const chosen =
    weights.kind === 'files'
      ? { files: weights.files, map: null, ignored: [] }
      : await attempt(weights.index.path, () => chooseByIndex(weights.index, weights.beside, open));
  if (!chosen) return { nameless: null, problems, ignored: [] };

  const read: ReadShard[] = [];
  for (const file of chosen.files) {
    const shard = await attempt(file.path, () => readShard(file, open));
    if (shard) read.push(shard);
  }
  // Every shard has been tried, so that all faults are known at once.
  if (read.length < chosen.files.length) return { nameless: null, problems, ignored: chosen.ignored };

  const tensors = await attempt(indexPath ?? read[0]!.identity.path, async () => joinTensors(read, chosen.map, indexPath));
  if (!tensors) return { nameless: null, problems, ignored: chosen.ignored };

  let adapter: AdapterConfig | null = null;
  if (looksLikeAdapter(tensors)) {
    adapter = await attempt(read[0]!.identity.path, () => readAdapter(read[0]!.identity.path, tensors, sidecars, open));
    if (!adapter) return { nameless: null, problems, ignored: chosen.ignored };
  }
  const configFile = sidecars.find(({ path }) => splitPath(path).name === 'config.json');
  const config = configFile ? await attempt(configFile.path, () => readConfig(configFile, open)) : null;
  return {
    nameless: {
      ...identify(read.map(({ identity }) => identity)),
      path: folder,
      shards: read.map(({ shard }) => shard),
      tensors,
      sidecars,
      config: config ?? {},
      parameters: tensors.reduce((sum, { elements }) => sum + elements, 0),
      bytes: read.reduce((sum, { identity: { size } }) => sum + size, 0),
      ...(adapter ? { adapter } : {}),
    },
    problems,
    ignored: chosen.ignored,
  };
}

interface ChosenShards {
  readonly files: readonly FileEntry[];
  readonly map: ReadonlyMap<string, string> | null;
  readonly ignored: readonly string[];
}

/** The shards an index names, all of which must be there. */
async function chooseByIndex(index: FileEntry, beside: ReadonlyMap<string, FileEntry>, open: OpenSource): Promise<ChosenShards> {
  checkIndexSize(index.size, index.path);
  const { weightMap } = parseIndex(await readWhole(index, open), index.path, isSafetensors(index.path.replace(/\.index\.json$/, '')) ? ['.safetensors'] : ['.bin']);
  const names = [...new Set(weightMap.values())].sort(compareUtf8);
  const missing = names.filter((name) => !beside.has(name));
  if (missing.length > 0) {
    throw checkpointError('missing-shards', index.path, `${missing.length} of ${names.length} shards are missing: ${someOf(missing)}`, {
      names: missing,
      expected: names.length,
      actual: names.length - missing.length,
    });
  }
  const files = names.map((name) => beside.get(name)!);
  const ignored = [...beside.values()].filter((file) => !files.includes(file)).map(({ path }) => path);
  return { files, map: weightMap, ignored };
}

const isSafetensors = (path: string) => path.endsWith('.safetensors');

interface ReadShard {
  readonly shard: Shard;
  readonly tensors: SafetensorsHeader['tensors'];
  readonly identity: ShardIdentity;
}

async function readShard(file: FileEntry, open: OpenSource): Promise<ReadShard> {
  const { tensors, metadata, headerBytes, raw } = await (isSafetensors(file.path) ? readHeader : readTorchHeader)(await openUnchanged(file, open));
  const { path, size, modified } = file;
  return {
    shard: { file, headerBytes, metadata },
    tensors,
    identity: { path, name: splitPath(path).name, size, modified, headerHash: sha256Hex(raw) },
  };
}

/** All tensors in UTF-8 byte order, once it is certain that each is in one shard, and in the one the index names. */
function joinTensors(read: readonly ReadShard[], map: ReadonlyMap<string, string> | null, indexPath: string | null): TensorEntry[] {
  const count = read.reduce((sum, { tensors }) => sum + tensors.length, 0);
  if (count > MAX_ENTRIES) {
    throw checkpointError('too-many-tensors', read[0]!.identity.path, `${count} tensors in all shards`, { expected: MAX_ENTRIES, actual: count });
  }
  const shardOf = new Map<string, number>();
  const twice = new Map<string, [number, number]>();
  read.forEach(({ tensors }, shard) => {
    for (const { name } of tensors) {
      const other = shardOf.get(name);
      if (other === undefined) shardOf.set(name, shard);
      else twice.set(name, [other, shard]);
    }
  });
  const nameOf = (shard: number) => read[shard]!.identity.name;
  const [first] = twice.values();
  if (first) {
    throw checkpointError('tensor-in-two-shards', read[first[1]]!.identity.path, `${twice.size} tensors are in two shards`, {
      names: [...twice.keys()],
      expected: nameOf(first[0]),
      actual: nameOf(first[1]),
    });
  }
  if (map && indexPath !== null) {
    const absent = [...map].filter(([name, file]) => !shardOf.has(name) || nameOf(shardOf.get(name)!) !== file).map(([name]) => name);
    if (absent.length > 0) {
      throw checkpointError('index-tensors-absent', indexPath, `${absent.length} tensors are not in the shard the index names`, { names: absent });
    }
    const unlisted = [...shardOf.keys()].filter((name) => !map.has(name));
    if (unlisted.length > 0) {
      throw checkpointError('index-lacks-tensors', indexPath, `${unlisted.length} tensors of the shards are not in the index`, { names: unlisted });
    }
  }
  return read.flatMap(({ tensors }, shard) => tensors.map((tensor) => ({ ...tensor, shard }))).sort((a, b) => compareUtf8(a.name, b.name));
}

/** The settings of an adapter, whose tensors must be what a plain LoRA adapter has. */
async function readAdapter(weights: string, tensors: readonly TensorEntry[], sidecars: readonly FileEntry[], open: OpenSource): Promise<AdapterConfig> {
  const file = sidecars.find(({ path }) => splitPath(path).name === 'adapter_config.json');
  if (!file) throw checkpointError('adapter-config-missing', weights, 'factors of an adapter without adapter_config.json');
  const config = file.size > MAX_CONFIG_BYTES ? null : parseAdapterConfig(await readWhole(file, open));
  if (!config) throw checkpointError('adapter-config-unreadable', file.path, `no JSON object of at most ${MAX_CONFIG_BYTES} bytes`);
  if ('refused' in config) throw checkpointError('adapter-unsupported', file.path, config.refused, { actual: config.refused });
  adapterTargets(tensors, weights);
  return config;
}

async function readConfig(file: FileEntry, open: OpenSource): Promise<ModelConfig> {
  const config = file.size > MAX_CONFIG_BYTES ? null : parseConfig(await readWhole(file, open));
  if (!config) throw checkpointError('config-unreadable', file.path, `no JSON object of at most ${MAX_CONFIG_BYTES} bytes`);
  return config;
}

async function readWhole(file: FileEntry, open: OpenSource): Promise<Uint8Array<ArrayBuffer>> {
  return (await openUnchanged(file, open)).read(0, file.size);
}

/** The source of a file, which must still have the size it was given with. */
async function openUnchanged(file: FileEntry, open: OpenSource): Promise<ByteSource> {
  const source = await open(file);
  if (source.size === file.size) return source;
  throw new SourceChangedError('size-changed', `${file.path}: ${source.size} bytes, ${file.size} when it was given`, {
    file: file.path,
    expected: file.size,
    actual: source.size,
  });
}

/** One of each: checkpoints that share a folder share its config.json and what is wrong with it. */
function withoutRepeats(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [`${problem.file}\n${problem.error.reason}`, problem])).values()];
}
