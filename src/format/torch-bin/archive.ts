/** The ZIP around a PyTorch file: where each stored entry's bytes lie. Nothing is decompressed, since torch compresses nothing. */
import type { ByteSource } from '../../bytes/source';
import { MAX_ARCHIVE_ENTRIES, MAX_DIRECTORY_BYTES } from './limits';
import { refuse } from './reasons';

/** End record with the longest comment, and the two records of ZIP64 before it. */
const TAIL_BYTES = 22 + 65_535 + 20 + 56;
const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const LOCAL_BYTES = 30;
/** In 32-bit (16-bit) fields: the number is in the ZIP64 field. */
const SEE_64 = 0xffffffff;
const SEE_64_SHORT = 0xffff;

export interface ArchiveEntry {
  readonly name: string;
  /** Bytes of the content. */
  readonly size: number;
  /** Where its local header is: `contentOf` finds the content behind it. */
  readonly header: number;
}
export interface Archive {
  readonly entries: ReadonlyMap<string, ArchiveEntry>;
  /** The central directory's bytes, for fingerprints. */
  readonly directory: Uint8Array<ArrayBuffer>;
  /** Where the directory begins: no content reaches beyond. */
  readonly directoryBegin: number;
}

/** Reads the central directory: two reads, more only for a directory beyond 64 KiB. Rejects with MalformedFileError (TorchReason). */
export async function readArchive(source: ByteSource): Promise<Archive> {
  const { name: file, size } = source;
  const tailBegin = Math.max(0, size - TAIL_BYTES);
  const tailBytes = await source.read(tailBegin, size);
  const tail = view(tailBytes);
  const end = findEnd(tail);
  if (end === null) return refuse(file, 'zip-no-directory', 'no end of a central directory: the file is truncated or no PyTorch file', { actual: size });
  let count = tail.getUint16(end + 10, true);
  let bytes = tail.getUint32(end + 12, true);
  let begin = tail.getUint32(end + 16, true);
  if (count === SEE_64_SHORT || bytes === SEE_64 || begin === SEE_64) {
    const locator = end - 20;
    if (locator < 0 || tail.getUint32(locator, true) !== LOCATOR64) return refuse(file, 'zip-malformed', 'the ZIP64 locator is missing');
    const record = safe(file, tail.getBigUint64(locator + 8, true)) - tailBegin;
    if (record < 0 || record + 56 > tail.byteLength || tail.getUint32(record, true) !== END64) {
      return refuse(file, 'zip-malformed', 'the ZIP64 end record is not where the locator says', { actual: record + tailBegin });
    }
    count = safe(file, tail.getBigUint64(record + 32, true));
    bytes = safe(file, tail.getBigUint64(record + 40, true));
    begin = safe(file, tail.getBigUint64(record + 48, true));
  }
  if (bytes > MAX_DIRECTORY_BYTES) return refuse(file, 'zip-too-large', `a directory of ${bytes} bytes`, { expected: MAX_DIRECTORY_BYTES, actual: bytes });
  if (count > MAX_ARCHIVE_ENTRIES) return refuse(file, 'zip-too-large', `${count} files in the archive`, { expected: MAX_ARCHIVE_ENTRIES, actual: count });
  if (begin + bytes > tailBegin + end) {
    return refuse(file, 'zip-malformed', `the directory ends at ${begin + bytes}, after its own end record`, { expected: tailBegin + end, actual: begin + bytes });
  }
  const directory = begin >= tailBegin ? tailBytes.slice(begin - tailBegin, begin - tailBegin + bytes) : await source.read(begin, begin + bytes);
  return { entries: parseDirectory(file, directory, count, begin), directory, directoryBegin: begin };
}

/** Bytes [begin, end) of an entry's content in the file: one read of its local header, whose name and padding may have any length. */
export async function contentOf(source: ByteSource, archive: Archive, entry: ArchiveEntry): Promise<{ readonly begin: number; readonly end: number }> {
  const file = source.name;
  if (entry.header + LOCAL_BYTES > archive.directoryBegin) {
    return refuse(file, 'zip-malformed', `${entry.name} begins at ${entry.header}, behind all files`, { expected: archive.directoryBegin, actual: entry.header });
  }
  const local = view(await source.read(entry.header, entry.header + LOCAL_BYTES));
  if (local.getUint32(0, true) !== LOCAL) return refuse(file, 'zip-malformed', `${entry.name} has no header at ${entry.header}`, { actual: entry.header });
  const begin = entry.header + LOCAL_BYTES + local.getUint16(26, true) + local.getUint16(28, true);
  const end = begin + entry.size;
  if (end > archive.directoryBegin) {
    return refuse(file, 'zip-malformed', `${entry.name} ends at ${end}, behind all files`, { expected: archive.directoryBegin, actual: end });
  }
  return { begin, end };
}

/** Position of the end record in the tail; the last one that a comment of its length leads up to the end of the file. */
function findEnd(tail: DataView): number | null {
  for (let at = tail.byteLength - 22; at >= 0; at--) {
    if (tail.getUint32(at, true) === END && at + 22 + tail.getUint16(at + 20, true) === tail.byteLength) return at;
  }
  return null;
}

function parseDirectory(file: string, bytes: Uint8Array<ArrayBuffer>, count: number, directoryBegin: number): Map<string, ArchiveEntry> {
  const entries = new Map<string, ArchiveEntry>();
  const directory = view(bytes);
  const text = new TextDecoder();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > bytes.length || directory.getUint32(at, true) !== CENTRAL) {
      return refuse(file, 'zip-malformed', `entry ${i} of ${count} is missing`, { expected: count, actual: i });
    }
    const nameBytes = directory.getUint16(at + 28, true);
    const extraBytes = directory.getUint16(at + 30, true);
    const next = at + 46 + nameBytes + extraBytes + directory.getUint16(at + 32, true);
    if (next > bytes.length) return refuse(file, 'zip-malformed', `entry ${i} reaches beyond the directory`, { expected: bytes.length, actual: next });
    const name = text.decode(bytes.subarray(at + 46, at + 46 + nameBytes));
    const method = directory.getUint16(at + 10, true);
    const numbers = { stored: directory.getUint32(at + 20, true), size: directory.getUint32(at + 24, true), header: directory.getUint32(at + 42, true) };
    const { stored, size, header } = wide(file, directory, at + 46 + nameBytes, extraBytes, numbers);
    if (method !== 0 || stored !== size || (directory.getUint16(at + 8, true) & 1) !== 0) {
      return refuse(file, 'zip-compressed', `${name} is compressed or encrypted: torch writes neither`, { actual: name });
    }
    if (header >= directoryBegin) return refuse(file, 'zip-malformed', `${name} begins behind all files`, { expected: directoryBegin, actual: header });
    if (entries.has(name)) return refuse(file, 'zip-malformed', `${name} is in the archive twice`, { actual: name });
    entries.set(name, { name, size, header });
    at = next;
  }
  return entries;
}

type Places = Record<'stored' | 'size' | 'header', number>;

/** The numbers of an entry, those of its ZIP64 field where the short ones say so. */
function wide(file: string, directory: DataView, begin: number, length: number, short: Places): Places {
  if (short.size !== SEE_64 && short.stored !== SEE_64 && short.header !== SEE_64) return short;
  for (let at = begin; at + 4 <= begin + length; at += 4 + directory.getUint16(at + 2, true)) {
    if (directory.getUint16(at, true) !== 1) continue;
    const end = at + 4 + directory.getUint16(at + 2, true);
    let from = at + 4;
    const result = { ...short };
    // In this order, and only those that do not fit.
    for (const key of ['size', 'stored', 'header'] as const) {
      if (short[key] !== SEE_64) continue;
      if (from + 8 > end || end > begin + length) break;
      result[key] = safe(file, directory.getBigUint64(from, true));
      from += 8;
    }
    return result;
  }
  return refuse(file, 'zip-malformed', 'a ZIP64 field is missing');
}

function safe(file: string, value: bigint): number {
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
  return refuse(file, 'zip-malformed', `${value} is no place in a file`, { actual: value.toString() });
}

const view = (bytes: Uint8Array<ArrayBuffer>) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
