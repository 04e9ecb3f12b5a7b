/** Why a safetensors file or index is refused: one slug per cause, and the error that carries it. */
import { MalformedFileError } from '../../bytes/errors';

/**
 * The causes. `expected` and `actual` of the error are the two numbers named here; offsets count from the start of the
 * payload, positions from the start of the file. The catalogue in `ui/` has one sentence for each.
 */
export type MalformedReason =
  // Not this format at all (checked only when the length prefix cannot be true)
  | 'is-empty' // 0 bytes: an interrupted download
  | 'is-lfs-pointer' // a Git LFS pointer, the weights were not fetched. expected: bytes it promises; actual: the file's size
  | 'is-html' // a web page, mostly a login or error page saved under this name
  | 'is-pickle' // a bare Python pickle, the older PyTorch format
  | 'is-zip' // a ZIP: PyTorch's .bin/.pt since 1.6, or an archive
  | 'is-gguf' // llama.cpp's GGUF
  | 'is-pdf'
  // Length prefix and extent
  | 'too-short' // less than the 8 bytes of the length prefix
  | 'header-empty' // header length 0
  | 'header-too-large' // header length over our cap (MAX_HEADER_BYTES)
  | 'header-exceeds-file' // expected: bytes the file would need for its header; actual: its size
  | 'file-truncated' // expected: end of the last tensor; actual: the file's size
  | 'file-has-extra-bytes' // the same two numbers, the file being longer
  // Text
  | 'not-utf8' // actual: position of the first bad byte
  | 'json-bom' // starts with a byte order mark
  | 'json-syntax' // expected: what JSON allows there; actual: what is there and at which position
  | 'json-truncated' // ends inside a value
  | 'json-trailing' // something follows the JSON value: NUL padding, garbage, a second object
  | 'json-escape' // an unknown escape, or half of a surrogate pair
  | 'json-control-character' // a raw byte below 0x20 in a string
  | 'json-too-deep' // nesting over MAX_SKIPPED_DEPTH in an index
  | 'json-not-object' // the root is something else
  // Entries
  | 'too-many-entries' // over MAX_ENTRIES tensors or metadata keys
  | 'duplicate-tensor' // compared after unescaping
  | 'duplicate-field'
  | 'duplicate-metadata' // a metadata key twice, or two `__metadata__`
  | 'metadata-not-object'
  | 'metadata-not-string' // a metadata value that is not a string
  | 'entry-not-object'
  | 'unknown-field'
  | 'missing-field'
  | 'dtype-not-string'
  | 'dtype-unknown'
  | 'shape-not-integers' // the shape is not an array of numbers
  | 'offsets-not-two-integers'
  | 'integer-not-plain' // a sign, a fraction, an exponent or a leading zero
  | 'integer-too-large' // over 2^53 - 1
  // Layout, in the reference's order
  | 'offsets-reversed' // expected: begin; actual: the end before it
  | 'offsets-hole' // expected: where the previous tensor ended; actual: begin
  | 'offsets-overlap' // the same two numbers, begin being the smaller
  | 'size-overflow' // product of shape and bits does not fit 64 bits
  | 'bits-not-bytes' // the values do not fill whole bytes. actual: bits
  | 'size-mismatch' // expected: bytes of shape and dtype; actual: end - begin
  // Index
  | 'index-too-large' // over MAX_INDEX_BYTES
  | 'index-no-weight-map'
  | 'index-weight-map-not-object'
  | 'index-file-not-string'
  | 'index-file-not-plain' // not a plain file name that ends in .safetensors. actual: the name
  | 'index-too-many-shards' // over MAX_SHARDS
  // Writing
  | 'reserved-name' // a tensor called `__metadata__`
  | 'name-not-unicode' // a name or metadata text with half of a surrogate pair: has no UTF-8
  | 'shape-not-writable'; // a dimension that is not an integer in [0, 2^53)

export interface MalformedDetail {
  readonly tensor?: string | undefined;
  readonly expected?: string | number | undefined;
  readonly actual?: string | number | undefined;
}

/** The refusal of `file` for `reason`. `message` is for logs; texts from the file are clipped in it, never in `where`. */
export function malformed(file: string, reason: MalformedReason, message: string, detail: MalformedDetail = {}): MalformedFileError {
  const { tensor, expected, actual } = detail;
  const about = tensor === undefined ? file : `${file}, tensor ${clip(tensor)}`;
  return new MalformedFileError(reason, `${about}: ${message}`, {
    file,
    ...(tensor === undefined ? {} : { tensor }),
    ...(expected === undefined ? {} : { expected }),
    ...(actual === undefined ? {} : { actual }),
  });
}

/** Text from a file, quoted and at most about 80 characters long: names may have a megabyte. */
export function clip(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
}

/** A shape in brackets, long ones cut after 12 dimensions: a hostile header can hold millions. */
export function shapeText(shape: readonly number[]): string {
  return shape.length > 12 ? `[${shape.slice(0, 12).join(', ')}, ... ${shape.length} dimensions]` : `[${shape.join(', ')}]`;
}
