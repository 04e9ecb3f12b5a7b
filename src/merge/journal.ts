/** The journal as a file: written whole, read as something that anybody may have changed. */
import { DestinationError } from '../bytes/errors';
import { JOURNAL_FILE } from '../bytes/source';
import type { Destination } from '../bytes/source';
import { sha256Hex } from '../bytes/sha256';
import type { Journal } from './journal-types';

/** Raised when a field changes its meaning. */
const JOURNAL_VERSION = 2;
const FORMAT = 'model-merging-studio journal';

/** Bytes: the figures of 92,000 tensors, the largest real checkpoint, take some 46 MB. */
const MAX_JOURNAL_BYTES = 64_000_000;

export function encodeJournal(journal: Journal): Uint8Array<ArrayBuffer> {
  const body = JSON.stringify(journal);
  return utf8(`{"format":${JSON.stringify(FORMAT)},"version":${JOURNAL_VERSION},"sha256":"${sha256Hex(utf8(body))}",\n"journal":${body}}\n`);
}

/**
 * What `encodeJournal` wrote. Throws DestinationError, with the file: `journal-broken` for what is cut off, changed or no journal
 * at all, `journal-version` for one of another version of this application.
 */
export function parseJournal(bytes: Uint8Array, file: string): Journal {
  const outer = record(json(bytes, file));
  if (outer?.format !== FORMAT) throw broken(file, 'it is no journal');
  if (outer.version !== JOURNAL_VERSION) {
    const where = { file, expected: JOURNAL_VERSION, actual: typeof outer.version === 'number' ? outer.version : 'none' };
    throw new DestinationError('journal-version', `${file}: version ${where.actual}, this reads ${JOURNAL_VERSION}`, where);
  }
  if (outer.sha256 !== sha256Hex(utf8(JSON.stringify(outer.journal) ?? ''))) throw broken(file, 'its checksum is wrong');
  if (!isJournal(outer.journal)) throw broken(file, 'a field is missing or of the wrong type');
  return outer.journal;
}

/** The journal that lies in `folder`, null where none does. Rejects as `parseJournal` and the destination do. */
export async function readJournal(folder: Destination): Promise<Journal | null> {
  if (!(await folder.list()).includes(JOURNAL_FILE)) return null;
  const source = await folder.open(JOURNAL_FILE);
  const file = `${folder.name}/${JOURNAL_FILE}`;
  // One byte more than is allowed says that it is too large, however large it is.
  return parseJournal(await source.read(0, Math.min(source.size, MAX_JOURNAL_BYTES + 1)), file);
}

function json(bytes: Uint8Array, file: string): unknown {
  if (bytes.length > MAX_JOURNAL_BYTES) throw broken(file, `${bytes.length} bytes are more than any journal has`);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw broken(file, bytes.length === 0 ? 'it is empty' : 'it is cut off or no JSON');
  }
}

function broken(file: string, what: string): DestinationError {
  return new DestinationError('journal-broken', `${file}: ${what}`, { file, actual: what });
}

function isJournal(value: unknown): value is Journal {
  const { subject, started, updated, layout, shards, files, replaces, isReplaced, done } = record(value) ?? {};
  return (
    isSubject(subject) &&
    [started, updated].every(isCount) &&
    isText(layout) &&
    isList(shards, (shard) => isPlainName(record(shard)?.file) && isCount(record(shard)?.bytes)) &&
    isList(files, isPlainName) &&
    isList(replaces, isText) &&
    typeof isReplaced === 'boolean' &&
    isList(done, isShard)
  );
}

function isSubject(value: unknown): boolean {
  const { application, recipe, choices, text, shardBytes, sources } = record(value) ?? {};
  return [application, recipe, choices, text].every(isText) && isCount(shardBytes) && isList(sources, isSource);
}

function isSource(value: unknown): boolean {
  const { id, name, fingerprint, bytes, contents, beside, files } = record(value) ?? {};
  const isFile = (file: unknown) => isText(record(file)?.name) && isCount(record(file)?.size) && Number.isFinite(record(file)?.modified);
  return [id, name, fingerprint, contents].every(isText) && (beside === null || isText(beside)) && isCount(bytes) && isList(files, isFile);
}

function isShard(value: unknown): boolean {
  const { file, bytes, pieceBytes, digests, madeBy, figures, overflow, checked } = record(value) ?? {};
  const { values, tensors } = record(checked) ?? {};
  return (
    isPlainName(file) &&
    isCount(bytes) &&
    isCount(pieceBytes) &&
    pieceBytes > 0 &&
    isList(digests, (digest) => isText(digest) && /^[0-9a-f]{64}$/.test(digest)) &&
    digests.length === Math.ceil(bytes / pieceBytes) &&
    isList(madeBy, isBackend) &&
    isList(figures, (pair) => Array.isArray(pair) && pair.length === 2 && isText(pair[0]) && isResult(pair[1])) &&
    [overflow, values, tensors].every(isCount)
  );
}

function isBackend(value: unknown): boolean {
  const { kind, label, software, arithmetic } = record(value) ?? {};
  return (kind === 'webgpu' || kind === 'cpu') && isText(label) && typeof software === 'boolean' && ['native', 'guarded', 'integer'].includes(String(arithmetic));
}

function isResult(value: unknown): boolean {
  const { figures, kept, reserved } = record(value) ?? {};
  const { numel, conflict, reserved: given, reservedCost, overflow, between, nonfinite, ...perModel } = record(figures) ?? {};
  if (!isList(kept, (one) => one === null || isKept(one))) return false;
  const models = kept.length;
  const isCounts = (list: unknown, length: number) => isList(list, isCount) && list.length === length;
  return (
    (reserved === null || isKept(reserved)) &&
    [numel, conflict, given, overflow].every(isCount) &&
    Number.isFinite(reservedCost) &&
    isCounts(between, (models * (models - 1)) / 2) &&
    isCounts(nonfinite, models + 1) &&
    ['kept', 'nonzero', 'won', 'discarded'].every((name) => isCounts(perModel[name], models))
  );
}

function isKept(value: unknown): boolean {
  const { threshold, cutoff } = record(value) ?? {};
  return isCount(threshold) && isCount(cutoff);
}

function record(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
}
const isText = (value: unknown): value is string => typeof value === 'string';
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
const isList = (value: unknown, isItem: (item: unknown) => boolean): value is unknown[] => Array.isArray(value) && value.every(isItem);
/** Nothing that leads out of the folder. */
const isPlainName = (value: unknown): value is string => isText(value) && /^[^/\\:]{1,255}$/.test(value) && !value.startsWith('.');

const utf8 = (text: string) => new TextEncoder().encode(text);
