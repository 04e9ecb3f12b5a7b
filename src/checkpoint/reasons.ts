/** Why files do not make a checkpoint although each may be well formed. The catalogue in `ui/` has a sentence for each. */
import { MalformedFileError } from '../bytes/errors';

export type CheckpointReason =
  | 'missing-shards' // names: the files; expected, actual: how many there should be and are
  | 'too-many-shards' // a `-of-` number over MAX_SHARDS
  | 'too-many-tensors' // over MAX_ENTRIES in all shards together
  | 'tensor-in-two-shards' // names: the tensors; expected, actual: the two files of the first
  | 'index-tensors-absent' // the index puts tensors in a shard that lacks them. names: the tensors
  | 'index-lacks-tensors' // shards hold tensors the index does not list. names: the tensors
  | 'weights-not-safetensors' // a folder with PyTorch, GGUF or other weights only. names: those files
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
