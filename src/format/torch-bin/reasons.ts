/** Why a PyTorch weight file is refused: one slug per cause, and the error that carries it. */
import { MalformedFileError } from '../../bytes/errors';

/** The catalogue in `ui/` has one sentence for each. */
export type TorchReason =
  | 'torch-legacy' // the format before PyTorch 1.6: one bare pickle
  | 'torch-script' // a TorchScript archive: code, not a dictionary of tensors
  | 'zip-no-directory' // no end of central directory: truncated, or no ZIP
  | 'zip-malformed' // a structure of the archive that contradicts the file. expected, actual: the two numbers
  | 'zip-too-large' // directory or number of files over a cap
  | 'zip-compressed' // torch never compresses: such an archive was made by something else. actual: the entry
  | 'pickle-too-large'
  | 'pickle-malformed' // ends early, or takes from an empty stack. actual: position
  | 'pickle-opcode' // an instruction that a dictionary of tensors does not need. actual: which, and where
  | 'pickle-global' // names code beyond the few functions that rebuild tensors. actual: the name
  | 'pickle-no-tensors' // the root is no dictionary of tensors
  | 'big-endian'
  | 'storage-missing' // a tensor's storage is not in the archive. expected: its key
  | 'storage-size' // expected: bytes the tensor needs; actual: bytes there are
  | 'storage-type' // a storage whose type is not known. actual: its name
  | 'not-contiguous' // a transposed or strided tensor
  | 'duplicate-tensor'
  | 'shape-not-integers';

export interface TorchDetail {
  readonly tensor?: string;
  readonly expected?: string | number;
  readonly actual?: string | number;
}

export function refuse(file: string, reason: TorchReason, message: string, detail: TorchDetail = {}): never {
  const about = detail.tensor === undefined ? file : `${file}, tensor ${JSON.stringify(detail.tensor.slice(0, 80))}`;
  throw new MalformedFileError(reason, `${about}: ${message}`, { file, ...detail });
}
