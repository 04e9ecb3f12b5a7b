/** Why files do not make a checkpoint although each may be well formed. The catalogue in `ui/` has a sentence for each. */
import { MalformedFileError } from '../bytes/errors';

export type CheckpointReason =
  | 'missing-shards' // names: the files; expected, actual: how many there should be and are
  | 'too-many-shards' // a `-of-` number over MAX_SHARDS
  | 'too-many-tensors' // over MAX_ENTRIES in all shards together
  | 'tensor-in-two-shards' // names: the tensors; expected, actual: the two files of the first
  | 'index-tensors-absent' // the index puts tensors in a shard that lacks them. names: the tensors
  | 'index-lacks-tensors' // shards hold tensors the index does not list. names: the tensors
  | 'weights-gguf' // a folder with weights of this kind only. names: those files
  | 'weights-tensorflow'
  | 'weights-flax'
  | 'weights-onnx'
  | 'weights-not-safetensors' // weights of yet another kind. names: those files
  | 'adapter-config-missing' // factors of an adapter without adapter_config.json
  | 'adapter-config-unreadable'
  | 'adapter-unsupported' // a PEFT method or setting that is more than plain LoRA. actual: the setting and its value
  | 'adapter-tensors-unknown' // names: tensors that are no part of plain LoRA
  | 'adapter-incomplete' // names: the tensors of which one factor is missing
  | 'adapter-shape' // the two factors have other ranks. names: the tensor; expected, actual: the ranks
  | 'cache-links-absent' // a Hugging Face cache without its links, and no blob of it holds weights
  | 'cache-revisions-mixed' // the same, with shards of several revisions. names: the shards
  | 'cache-newest-taken' // a warning: configs or tokenizers of several revisions, of which the last fetched counts. names: the files
  | 'config-unreadable'; // config.json is no JSON object or too large: a warning, the checkpoint opens without it

/** Names listed in an error; the full number is in its message. */
const MOST_NAMES = 50;

export function checkpointError(
  reason: CheckpointReason,
  file: string,
  message: string,
  where: { names?: readonly string[]; expected?: string | number; actual?: string | number } = {},
): MalformedFileError {
  const { names, ...numbers } = where;
  return new MalformedFileError(reason, `${file}: ${message}`, { file, ...numbers, ...(names ? { names: names.slice(0, MOST_NAMES) } : {}) });
}

/** The first of `names` for a message, each cut: `a, b, c and 4 more`. */
export function someOf(names: readonly string[]): string {
  const first = names.slice(0, 3).map((name) => name.slice(0, 100)).join(', ');
  return names.length > 3 ? `${first} and ${names.length - 3} more` : first;
}
