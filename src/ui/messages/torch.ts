/** Sentences for PyTorch weight files that are refused: `malformed-file`. */
import type { Message, Template } from './words';

const AGAIN = 'Download the file again and compare its size with the one stated where it comes from.';
const CONVERT = 'Load the model with transformers and save it with save_pretrained(…, safe_serialization=True), then drop that folder.';

function refused(title: string, detail: (words: Parameters<Template>[0]) => string, action = CONVERT): Template {
  return (words): Message => ({ title: `${words.file} ${title}`, detail: `${words.at}${detail(words)}`, action });
}

export const TORCH_MESSAGES = {
  'torch-legacy': refused('is of a PyTorch before 1.6', () => 'Its one pickle would have to be run to be read; the studio runs nothing.'),
  'torch-script': refused('is a TorchScript archive', () => 'It holds a program, not only weights.'),
  'zip-no-directory': refused('is no whole PyTorch file', ({ actualBytes }) => `It has ${actualBytes} and no table of contents at its end: cut short, or something else under this name.`, AGAIN),
  'zip-malformed': refused('is damaged', ({ expected, actual }) => `Its table of contents contradicts the file (expected ${expected}, found ${actual}).`, AGAIN),
  'zip-too-large': refused('holds too many files', ({ expected, actual }) => `Its table of contents claims ${actual}; the studio reads at most ${expected}.`),
  'zip-compressed': refused('is compressed', ({ actual }) => `${actual} is packed or encrypted, which PyTorch never does.`, `Unpack it if it is an archive. Otherwise: ${CONVERT}`),
  'pickle-too-large': refused('lists too much', ({ expectedBytes, actualBytes }) => `Its list of tensors has ${actualBytes}; the studio reads at most ${expectedBytes}.`),
  'pickle-malformed': refused('is damaged', ({ actual }) => `Its list of tensors breaks off or contradicts itself at byte ${actual}.`, AGAIN),
  'pickle-opcode': refused('holds more than weights', ({ actual }) => `Its pickle has an instruction that a list of tensors does not need: ${actual}. It was not run.`),
  'pickle-global': refused('holds code', ({ actual }) => `Its pickle names ${actual}, which loading it with PyTorch would run. The studio runs nothing.`, 'If you trust the file, load it with torch.load and save its tensors alone; if not, delete it.'),
  'pickle-no-tensors': refused('holds no list of tensors', () => 'Neither the file itself nor a state_dict in it is a dictionary of named tensors.', 'Optimizer states and training arguments are not weights: drop the model file.'),
  'big-endian': refused('is of a big-endian machine', ({ actual }) => `Its byte order is ${actual}; the studio reads little-endian files.`),
  'storage-missing': refused('lacks values', ({ expected }) => `They should be in ${expected}.`, AGAIN),
  'storage-size': refused('lacks values', ({ expectedBytes, actualBytes }) => `The tensor reaches to ${expectedBytes}; there are ${actualBytes}.`, AGAIN),
  'storage-type': refused('has values of a type the studio does not read', ({ actual }) => `They are of ${actual}.`),
  'not-contiguous': refused('holds a transposed or strided tensor', () => 'Its values do not lie in order in the file.', 'Save the tensors with .contiguous(), or convert: ' + CONVERT),
} satisfies Record<string, Template>;
