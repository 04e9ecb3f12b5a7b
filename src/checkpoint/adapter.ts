/** A LoRA adapter as PEFT saves it, alone and on its base. */
import { IncompatibleCheckpointsError } from '../bytes/errors';
import { isMergedDtype } from '../bytes/dtypes';
import { compareUtf8 } from '../bytes/utf8';
import { scalingOf } from './adapter-config';
import { checkpointError } from './reasons';
import type { Adapted, Checkpoint, TensorEntry } from './types';

/** What an adapter's file holds for one tensor of the base. */
interface Target {
  /** The tensor's name without PEFT's prefix. */
  readonly tensor: string;
  readonly a?: TensorEntry;
  readonly b?: TensorEntry;
  /** `lora_embedding_A` and `_B`: for a table of rows by token. */
  readonly isEmbedding: boolean;
  /** A tensor given in full: `modules_to_save`, or an embedding saved with the adapter. */
  readonly whole?: TensorEntry;
}

const PREFIX = /^(?:base_model\.model\.)?/;
const FACTOR = /^(.+)\.lora_(embedding_)?([AB])(?:\.default)?(\.weight)?$/;
const WHOLE = /^(.+?)(?:\.modules_to_save(?:\.default)?|\.base_layer|\.original_module)?\.(weight|bias)$/;

/** Whether a file's tensors are those of an adapter. */
export function looksLikeAdapter(tensors: readonly { readonly name: string }[]): boolean {
  return tensors.some(({ name }) => /\.lora_(?:embedding_)?[AB](?:\.|$)/.test(name));
}

/**
 * What the file holds, by tensor of the base, in the order of the names. Throws MalformedFileError `adapter-tensors-unknown` for
 * tensors that are neither factors nor whole (a magnitude of DoRA, a bias of lora_B), `adapter-incomplete` for an A without its B,
 * and `adapter-shape` where the ranks of the two differ.
 */
export function adapterTargets(tensors: readonly TensorEntry[], file: string): Target[] {
  const targets = new Map<string, Target>();
  const unknown: string[] = [];
  const add = (tensor: string, part: Partial<Target>) => targets.set(tensor, { isEmbedding: false, ...targets.get(tensor), tensor, ...part });
  for (const entry of tensors) {
    const name = entry.name.replace(PREFIX, '');
    const [, module, embedding, letter, weight] = FACTOR.exec(name) ?? [];
    const isFactor = module !== undefined && (embedding === undefined) === (weight !== undefined) && isMergedDtype(entry.dtype) && entry.shape.length === 2;
    const [, whole, parameter] = WHOLE.exec(name) ?? [];
    if (isFactor) add(`${module}.weight`, { [letter === 'A' ? 'a' : 'b']: entry, isEmbedding: embedding !== undefined });
    else if (whole !== undefined && !name.includes('lora_')) add(`${whole}.${parameter!}`, { whole: entry });
    else unknown.push(entry.name);
  }
  if (unknown.length > 0) throw checkpointError('adapter-tensors-unknown', file, `${unknown.length} tensors are no part of a plain LoRA adapter`, { names: unknown });
  const incomplete = [...targets.values()].filter(({ a, b }) => (a === undefined) !== (b === undefined)).map(({ tensor }) => tensor);
  if (incomplete.length > 0) throw checkpointError('adapter-incomplete', file, `${incomplete.length} factors lack the other one`, { names: incomplete });
  for (const { tensor, a, b } of targets.values()) {
    if (a && b && a.shape[0] !== b.shape[1]) {
      throw checkpointError('adapter-shape', file, `factors of ${tensor} have ranks ${a.shape[0]} and ${b.shape[1]}`, { names: [tensor], expected: a.shape[0]!, actual: b.shape[1]! });
    }
  }
  return [...targets.values()].sort((x, y) => compareUtf8(x.tensor, y.tensor));
}

/**
 * The checkpoint that `adapter` makes of `base`: the base's tensors, some with a product added, some replaced. No byte is read or
 * written: entries say where the values come from. Throws IncompatibleCheckpointsError `adapter-targets-absent` (tensors the base
 * lacks), `adapter-does-not-fit` (a shape or a rank that differs, both named).
 */
export function onBase(adapter: Checkpoint, base: Checkpoint): Checkpoint {
  const byName = new Map(base.tensors.map((tensor) => [tensor.name, { ...tensor, owner: base.id }]));
  const targets = adapterTargets(adapter.tensors, adapter.shards[0]!.file.path);
  const inBase = (tensor: string) => [tensor, tensor.slice(tensor.indexOf('.') + 1), `model.${tensor}`].find((name) => byName.has(name));
  const absent = targets.filter(({ tensor, a }) => a && inBase(tensor) === undefined).map(({ tensor }) => tensor);
  if (absent.length > 0) {
    const where = { model: adapter.id, names: absent.slice(0, 50) };
    throw new IncompatibleCheckpointsError('adapter-targets-absent', `${adapter.name} adapts ${absent.length} tensors that ${base.name} lacks`, where);
  }
  const tensors = new Map<string, TensorEntry>(byName);
  for (const target of targets) {
    const name = inBase(target.tensor) ?? target.tensor;
    if (target.whole) tensors.set(name, { ...target.whole, name });
    const under = tensors.get(name)!;
    if (target.a && target.b) tensors.set(name, { ...under, adapted: adaptedOf(adapter, base, target, under) });
  }
  return { ...adapter, tensors: [...tensors.values()].sort((x, y) => compareUtf8(x.name, y.name)), config: base.config };
}

function adaptedOf(adapter: Checkpoint, base: Checkpoint, { tensor, a, b, isEmbedding }: Target, under: TensorEntry): Adapted {
  const { rank, scale } = scalingOf(adapter.adapter!, tensor.replace(/\.weight$/, ''));
  const [out, into] = [b!.shape[0]!, a!.shape[1]!];
  const [rows, columns] = under.shape;
  const fits = (isTurned: boolean) => under.shape.length === 2 && rows === (isTurned ? into : out) && columns === (isTurned ? out : into);
  const refuse = (expected: string | number, actual: string | number): never => {
    const where = { model: adapter.id, tensor: under.name, expected, actual };
    throw new IncompatibleCheckpointsError('adapter-does-not-fit', `${under.name}: ${expected} in the base, ${actual} in ${adapter.name}`, where);
  };
  if (a!.shape[0] !== rank) refuse(`rank ${rank} in adapter_config.json`, `rank ${a!.shape[0]!} in its file`);
  if (!isMergedDtype(under.dtype)) refuse('F32, F16 or BF16', under.dtype);
  const prefersTurned = isEmbedding || adapter.adapter!.fanInFanOut || isInputByOutput(base, under.name);
  const isTurned = isEmbedding || (fits(true) && (prefersTurned || !fits(false)));
  if (!fits(isTurned)) refuse(`[${under.shape.join(', ')}]`, isTurned ? `[${into}, ${out}]` : `[${out}, ${into}]`);
  const factor = (entry: TensorEntry) => ({ checkpoint: adapter.id, tensor: entry, isTransposed: isTurned });
  return { rank, scale, left: factor(isTurned ? a! : b!), right: factor(isTurned ? b! : a!) };
}

/** GPT-2 and its kin store the matrices of their layers input by output, whatever the adapter says. */
function isInputByOutput({ config }: Checkpoint, tensor: string): boolean {
  return /^(?:gpt2|openai-gpt|imagegpt|decision_transformer)$/.test(config.modelType ?? '') && /\.(?:c_attn|c_proj|c_fc|q_attn)\.weight$/.test(tensor);
}
