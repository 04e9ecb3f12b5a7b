/** Sentences for files and folders that are refused: `malformed-file`. */
import { ADAPTER_MESSAGES } from './adapters';
import { RESULTS_MESSAGES } from './results';
import { TORCH_MESSAGES } from './torch';
import type { Message, Template } from './words';

const AGAIN = 'Download the file again and compare its size with the one stated where it comes from.';
const REWRITE = 'Write the checkpoint again with save_pretrained or safetensors, and tell whoever made the file.';
const CONVERT = 'Load the model with transformers and save it with save_pretrained(…, safe_serialization=True), then drop that folder.';

/** A file that breaks a rule of the format: all of these are repaired in the same way. */
function broken(detail: (words: Parameters<Template>[0]) => string, title = 'is not a valid safetensors file'): Template {
  return (words): Message => ({ title: `${words.file} ${title}`, detail: `${words.at}${detail(words)}`, action: REWRITE });
}
function damaged(title: string, detail: (words: Parameters<Template>[0]) => string): Template {
  return (words): Message => ({ title: `${words.file} ${title}`, detail: detail(words), action: AGAIN });
}
function other(title: string, detail: string, action: string): Template {
  return ({ file }): Message => ({ title: `${file} is ${title}`, detail, action });
}

export const FILE_MESSAGES = {
  ...TORCH_MESSAGES,
  ...RESULTS_MESSAGES,
  ...ADAPTER_MESSAGES,
  'is-empty': damaged('is empty', () => 'The file has 0 bytes: a download that was interrupted, or a file being written.'),
  'is-lfs-pointer': ({ file, expectedBytes, actualBytes }) => ({
    title: `${file} is a Git LFS pointer, not the weights`,
    detail: `It stands for ${expectedBytes} of weights that were not fetched; the pointer itself has ${actualBytes}.`,
    action: 'Run "git lfs pull" in that folder, then drop it again.',
  }),
  'is-html': other('a web page', 'It starts with HTML: a login or error page that was saved under this name.', 'Sign in where the file comes from and download it again.'),
  'is-pickle': other('a Python pickle', 'It is the older PyTorch format. Pickles can run code when they are read; the studio reads only those of PyTorch 1.6 and later, without running anything.', CONVERT),
  'is-zip': other('a ZIP archive', 'PyTorch saves .bin and .pt files like this; or the folder was packed.', 'If it is a PyTorch file, give it its ending .bin back; if it is an archive, unpack it.'),
  'is-gguf': other('a GGUF file', "It is llama.cpp's format, mostly quantised; merging needs the original weights.", 'Get the safetensors checkpoint the GGUF was made from.'),
  'is-pdf': other('a PDF document', 'It starts with %PDF.', 'Choose the safetensors file instead.'),

  'too-short': damaged('is cut short', ({ actualBytes }) => `It has ${actualBytes}; a safetensors file starts with 8 that give the length of its header.`),
  'header-empty': broken(() => 'The length of its header is 0.'),
  'header-too-large': ({ file, expectedBytes, actualBytes }) => ({
    title: `The header of ${file} is too large`,
    detail: `It claims ${actualBytes}; the studio reads at most ${expectedBytes}.`,
    action: 'If this is a safetensors file, split the checkpoint into shards with save_pretrained(…, max_shard_size="5GB").',
  }),
  'header-exceeds-file': damaged('is cut short', ({ expectedBytes, actualBytes }) => `Its header alone needs ${expectedBytes}; the file has ${actualBytes}.`),
  'file-truncated': damaged('is cut short', ({ expectedBytes, actualBytes }) => `Its tensors end at ${expectedBytes}; the file has ${actualBytes}.`),
  'file-has-extra-bytes': damaged('has bytes after its end', ({ expectedBytes, actualBytes }) => `Its tensors end at ${expectedBytes}; the file has ${actualBytes}.`),

  'not-utf8': broken(({ actual }) => `The header is not UTF-8 text at position ${actual}.`),
  'json-bom': broken(() => 'The header starts with a byte order mark, which JSON does not allow.'),
  'json-syntax': broken(({ expected, actual }) => `The header is not JSON: expected ${expected}, found ${actual}.`),
  'json-truncated': broken(() => 'The header ends in the middle of its JSON.'),
  'json-trailing': broken(() => 'Something follows the JSON of the header.'),
  'json-escape': broken(() => 'A text in the header has an escape that JSON does not know.'),
  'json-control-character': broken(() => 'A text in the header holds a raw control character.'),
  'json-too-deep': broken(() => 'Its JSON is nested too deeply to be meant.', 'cannot be read'),
  'json-not-object': broken(() => 'The header is JSON, but not an object of tensors.'),

  'too-many-entries': broken(({ expected, actual }) => `The header lists ${actual} entries; the studio reads at most ${expected}.`, 'lists too many tensors'),
  'duplicate-tensor': broken(({ tensor }) => `The name ${tensor} stands twice, so its weights are ambiguous.`, 'names a tensor twice'),
  'duplicate-field': broken(() => 'A field stands twice.'),
  'duplicate-metadata': broken(() => 'A metadata key stands twice.'),
  'metadata-not-object': broken(() => 'Its __metadata__ is not an object.'),
  'metadata-not-string': broken(() => 'A metadata value is not a text.'),
  'entry-not-object': broken(() => 'The entry is not an object.'),
  'unknown-field': broken(({ actual }) => `The entry has a field ${actual}; only dtype, shape and data_offsets are allowed.`),
  'missing-field': broken(({ expected }) => `The entry lacks ${expected}.`),
  'dtype-not-string': broken(() => 'The dtype is not a text.'),
  'dtype-unknown': broken(({ actual }) => `The dtype ${actual} is not one of safetensors.`, 'has a dtype the studio does not know'),
  'shape-not-integers': broken(() => 'The shape is not a list of whole numbers.'),
  'offsets-not-two-integers': broken(() => 'The data_offsets are not two whole numbers.'),
  'integer-not-plain': broken(({ actual }) => `The number ${actual} is not written as a plain whole number.`),
  'integer-too-large': broken(({ actual }) => `The number ${actual} is too large to be an offset or a dimension.`),

  'offsets-reversed': broken(({ expected, actual }) => `Its bytes begin at ${expected} and end at ${actual}, before that.`),
  'offsets-hole': broken(({ expected, actual }) => `The previous tensor ends at ${expected}, this one begins at ${actual}: the bytes between belong to none.`),
  'offsets-overlap': broken(({ expected, actual }) => `The previous tensor ends at ${expected}, this one begins at ${actual}: they share bytes.`),
  'size-overflow': broken(() => 'Its shape gives a size beyond 64 bits.'),
  'bits-not-bytes': broken(({ actual }) => `Its values take ${actual} bits, which do not fill whole bytes.`),
  'size-mismatch': broken(({ expectedBytes, actualBytes }) => `Shape and dtype need ${expectedBytes}; the file gives it ${actualBytes}.`),

  'index-too-large': broken(({ expectedBytes, actualBytes }) => `The index has ${actualBytes}; the studio reads at most ${expectedBytes}.`, 'is too large for an index'),
  'index-no-weight-map': broken(() => 'The index has no weight_map, which says which shard holds which tensor.', 'is not a valid shard index'),
  'index-weight-map-not-object': broken(() => 'The weight_map is not an object.', 'is not a valid shard index'),
  'index-file-not-string': broken(() => 'The shard of a tensor is not a text.', 'is not a valid shard index'),
  'index-file-not-plain': broken(({ actual }) => `The shard is given as ${actual}; only the name of a .safetensors file in the same folder is allowed.`, 'points outside its folder'),
  'index-too-many-shards': broken(({ expected, actual }) => `The index names ${actual} shards; the studio reads at most ${expected}.`, 'names too many shards'),

  'reserved-name': broken(() => 'A tensor called __metadata__ cannot be written to a safetensors file.', 'cannot be written'),
  'name-not-unicode': broken(({ tensor }) => `The name ${tensor} holds half of a character and has no UTF-8 form.`, 'cannot be written'),
  'shape-not-writable': broken(() => 'A dimension is not a whole number below 2^53.', 'cannot be written'),

  'manifest-malformed': ({ file }) => ({
    title: 'The sample family could not be loaded',
    detail: `${file}, its list of files, is not what it should be.`,
    action: 'Whoever serves this page has to put the sample family back; your own checkpoints open all the same.',
  }),
  'too-many-files': ({ expected }) => ({
    title: 'Too many files at once',
    detail: expected === 'unknown' ? 'The folder holds more files than the studio lists.' : `The studio lists at most ${expected}.`,
    action: 'Drop the checkpoint folders alone.',
  }),

  'missing-shards': ({ file, names, expected, actual }) => ({
    title: `${file}: shards are missing`,
    detail: `${expected} shards belong to this checkpoint, ${actual} are here. Missing: ${names}.`,
    action: 'Drop the missing files, or the whole folder.',
  }),
  'too-many-shards': ({ file, expected, actual }) => ({
    title: `${file} is one of too many shards`,
    detail: `Its name says ${actual} shards; the studio reads at most ${expected}.`,
    action: 'Check the file name, or save the checkpoint again in larger shards.',
  }),
  'too-many-tensors': ({ file, expected, actual }) => ({
    title: `${file}: too many tensors`,
    detail: `Its shards hold ${actual} tensors together; the studio reads at most ${expected}.`,
    action: 'If experts are saved one by one, save the checkpoint with stacked experts.',
  }),
  'tensor-in-two-shards': ({ file, names, expected, actual }) => ({
    title: `${file}: a tensor is in two shards`,
    detail: `${names}: first in ${expected} and in ${actual}, so its weights are ambiguous.`,
    action: 'Shards of two downloads are mixed in this folder: keep one set and drop it again.',
  }),
  'index-tensors-absent': ({ file, names }) => ({
    title: `${file} and its shards disagree`,
    detail: `The index puts tensors in shards that do not have them: ${names}.`,
    action: 'Index and shards come from different downloads: fetch both again.',
  }),
  'index-lacks-tensors': ({ file, names }) => ({
    title: `${file} and its shards disagree`,
    detail: `The shards hold tensors that the index does not list: ${names}.`,
    action: 'Index and shards come from different downloads: fetch both again.',
  }),
  'weights-not-safetensors': ({ file, names }) => ({
    title: `${file} holds no weights the studio reads`,
    detail: `Found ${names}. The studio reads safetensors and PyTorch .bin files.`,
    action: CONVERT,
  }),
  'cache-links-absent': ({ file }) => ({
    title: `${file}: no weights among its blobs`,
    detail: 'A Hugging Face cache names its files by links, which the browser leaves out. The studio told the blobs apart by what they hold, and none holds weights.',
    action: 'Fetch the weights, "hf download REPOSITORY", and drop this folder again.',
  }),
  'cache-revisions-mixed': ({ file, names }) => ({
    title: `${file} holds several revisions`,
    detail: `The browser leaves out the links that say which blob is of which revision, and there are several for ${names}.`,
    action: 'Copy one revision with its files, "cp -rL …/snapshots/REVISION model", and drop that folder.',
  }),
  'cache-newest-taken': ({ file, names }) => ({
    title: `${file} holds several revisions`,
    detail: `The browser leaves out the links that say which is of which. Of ${names} the one fetched last was taken; there is one set of weights.`,
    action: 'If another revision is meant, copy it with its files, "cp -rL …/snapshots/REVISION model", and drop that folder.',
  }),
  'nothing-found': ({ file }) => ({
    title: `${file}: no files came`,
    detail: 'The folder is empty, or holds nothing but links, which the browser leaves out. A snapshot of a Hugging Face cache is such a folder.',
    action: 'Of a Hugging Face cache drop the whole folder models--…, in which the files lie.',
  }),
  'weights-gguf': ({ file, names }) => ({
    title: `${file} is of llama.cpp, not for merging`,
    detail: `Found ${names}. GGUF files are mostly quantised, and rounded weights give a merge of their rounding errors.`,
    action: 'Drop the safetensors or .bin checkpoint the GGUF was made from; it can be quantised again after the merge.',
  }),
  'weights-tensorflow': ({ file, names }) => ({
    title: `${file} holds TensorFlow weights`,
    detail: `Found ${names}. The studio reads safetensors and PyTorch .bin files.`,
    action: 'Load the model with from_pretrained(…, from_tf=True) in a transformers version that still can (4.x) and save it with save_pretrained, then drop that folder.',
  }),
  'weights-flax': ({ file, names }) => ({
    title: `${file} holds Flax weights`,
    detail: `Found ${names}. The studio reads safetensors and PyTorch .bin files.`,
    action: 'Load the model with from_pretrained(…, from_flax=True) in a transformers version that still can (4.x) and save it with save_pretrained, then drop that folder.',
  }),
  'weights-onnx': ({ file, names }) => ({
    title: `${file} holds an ONNX graph`,
    detail: `Found ${names}. It is a program for inference; its weights may be folded together and renamed.`,
    action: 'Drop the checkpoint it was exported from.',
  }),
  'config-unreadable': ({ file }) => ({
    title: `${file} cannot be read`,
    detail: 'It is no JSON object, or too large. The checkpoint opens without it; an export made with this config would not load.',
    action: 'Fetch config.json again before exporting with it.',
  }),
} satisfies Record<string, Template>;
