/** The header's JSON as entries: syntax and types. Whether their offsets and sizes make sense is layout.ts. */
import { isDtype } from '../../bytes/dtypes';
import type { Dtype } from '../../bytes/dtypes';
import { JsonReader } from './json';
import { MAX_ENTRIES } from './limits';
import { clip } from './malformed';

/** An entry as written. */
export interface RawEntry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** `data_offsets`: [begin, end) from the start of the payload. */
  readonly from: number;
  readonly to: number;
}

export interface RawHeader {
  /** In the order they are written. */
  readonly entries: RawEntry[];
  /** Null-prototype, so that a key `__proto__` is data. Empty when absent or null. */
  readonly metadata: Record<string, string>;
}

/**
 * Reads the JSON of a header from `headBytes`, the file's first 8 + N bytes. MalformedFileError for anything that is not
 * exactly the format's grammar, for names that occur twice and for more than MAX_ENTRIES entries.
 */
export function parseEntries(headBytes: Uint8Array, file: string): RawHeader {
  const reader = new JsonReader(headBytes, 8, file);
  const entries: RawEntry[] = [];
  const names = new Set<string>();
  let metadata: Record<string, string> | null = null;
  reader.expect('object', 'json-not-object', 'the header');
  // One more than MAX_ENTRIES for `__metadata__`, which is not an entry.
  reader.members(MAX_ENTRIES + 1, (name) => {
    if (name === '__metadata__') {
      if (metadata) reader.refuse('duplicate-metadata', '`__metadata__` occurs twice', { actual: name });
      metadata = readMetadata(reader);
      return;
    }
    if (names.has(name)) reader.refuse('duplicate-tensor', 'the name occurs twice', { tensor: name });
    if (names.size === MAX_ENTRIES) {
      reader.refuse('too-many-entries', `more than ${MAX_ENTRIES} tensors`, { expected: MAX_ENTRIES, actual: `more than ${MAX_ENTRIES}` });
    }
    names.add(name);
    reader.tensor = name;
    entries.push(readEntry(reader, name));
    reader.tensor = undefined;
  });
  reader.end();
  return { entries, metadata: metadata ?? emptyMetadata() };
}

const emptyMetadata = () => Object.create(null) as Record<string, string>;

function readMetadata(reader: JsonReader): Record<string, string> {
  const metadata = emptyMetadata();
  if (reader.kind() === 'null') {
    reader.null();
    return metadata;
  }
  reader.expect('object', 'metadata-not-object', '`__metadata__`');
  reader.members(MAX_ENTRIES, (key) => {
    if (key in metadata) reader.refuse('duplicate-metadata', `metadata key ${clip(key)} occurs twice`, { actual: key });
    reader.expect('string', 'metadata-not-string', `metadata value of ${clip(key)}`);
    metadata[key] = reader.string();
  });
  return metadata;
}

function readEntry(reader: JsonReader, name: string): RawEntry {
  let dtype: Dtype | undefined;
  let shape: number[] | undefined;
  let offsets: number[] | undefined;
  const once = (value: unknown, field: string) => {
    if (value !== undefined) reader.refuse('duplicate-field', `field \`${field}\` occurs twice`, { actual: field });
  };
  reader.expect('object', 'entry-not-object', 'the entry');
  reader.members(MAX_ENTRIES, (field) => {
    switch (field) {
      case 'dtype':
        once(dtype, field);
        dtype = readDtype(reader);
        return;
      case 'shape':
        once(shape, field);
        shape = readIntegers(reader, 'shape-not-integers', '`shape`');
        return;
      case 'data_offsets':
        once(offsets, field);
        offsets = readIntegers(reader, 'offsets-not-two-integers', '`data_offsets`');
        return;
      default:
        reader.refuse('unknown-field', `field ${clip(field)} is not part of the format`, { actual: field });
    }
  });
  if (dtype === undefined) return missing(reader, 'dtype');
  if (shape === undefined) return missing(reader, 'shape');
  if (offsets === undefined) return missing(reader, 'data_offsets');
  const [from, to, ...more] = offsets;
  if (from === undefined || to === undefined || more.length > 0) {
    const count = offsets.length;
    return reader.refuse('offsets-not-two-integers', `\`data_offsets\` has ${count} numbers`, { expected: 2, actual: count });
  }
  return { name, dtype, shape, from, to };
}

function missing(reader: JsonReader, field: string): never {
  return reader.refuse('missing-field', `field \`${field}\` is missing`, { expected: field });
}

function readDtype(reader: JsonReader): Dtype {
  reader.expect('string', 'dtype-not-string', '`dtype`');
  const text = reader.string();
  if (!isDtype(text)) return reader.refuse('dtype-unknown', `dtype ${clip(text)} is unknown`, { actual: text });
  return text;
}

function readIntegers(reader: JsonReader, reason: 'shape-not-integers' | 'offsets-not-two-integers', what: string): number[] {
  const numbers: number[] = [];
  reader.expect('array', reason, what);
  reader.items(() => {
    reader.expect('number', reason, `every item of ${what}`);
    numbers.push(reader.integer());
  });
  return numbers;
}
