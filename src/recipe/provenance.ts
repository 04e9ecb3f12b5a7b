/** A recipe in the metadata of the safetensors files it made: dropping a merged checkpoint reopens its recipe. */
import { InvalidRecipeError } from '../bytes/errors';
import { decodeRecipe, encodeRecipe, MAX_RECIPE_TEXT } from './serialise';
import type { Recipe } from './types';

export const RECIPE_KEY = 'merging_studio.recipe';
export const SOURCES_KEY = 'merging_studio.sources';
export const CHOICES_KEY = 'merging_studio.choices';

/** What is needed to ask for a source again: its id in the recipe, its name, and what tells it from others. */
export interface SourceRecord {
  readonly id: string;
  readonly name: string;
  /** Hex SHA-256 over every shard's name, size and header bytes. */
  readonly fingerprint: string;
  /** Bytes of all shards. */
  readonly bytes: number;
  /** Hex SHA-256 over blocks of its values, which a fingerprint does not see; older files lack it. */
  readonly contents?: string;
}
export interface Provenance {
  readonly recipe: Recipe;
  readonly sources: readonly SourceRecord[];
  /** What was decided where checkpoints differ, as JSON; null where the file does not say. Taken on trust by nobody. */
  readonly choices: unknown;
}

/** Metadata for the header; the writer adds `format` itself. */
export function provenanceMetadata({ recipe, sources, choices }: Provenance): Record<string, string> {
  const records = sources.map(recordOf);
  return { [RECIPE_KEY]: encodeRecipe(recipe), [SOURCES_KEY]: JSON.stringify(records), ...(choices === null ? {} : { [CHOICES_KEY]: JSON.stringify(choices) }) };
}

/**
 * What `provenanceMetadata` wrote; null when the file does not come from here. Throws InvalidRecipeError as
 * `decodeRecipe` does, and `sources-malformed`.
 */
export function readProvenance(metadata: Readonly<Record<string, string>>): Provenance | null {
  if (!Object.hasOwn(metadata, RECIPE_KEY)) return null;
  const sources = Object.hasOwn(metadata, SOURCES_KEY) ? metadata[SOURCES_KEY]! : '[]';
  return { recipe: decodeRecipe(metadata[RECIPE_KEY]!), sources: readSources(sources), choices: Object.hasOwn(metadata, CHOICES_KEY) ? parsed(metadata[CHOICES_KEY]!) : null };
}

function readSources(text: string): SourceRecord[] {
  const records = parsed(text);
  if (!Array.isArray(records) || !records.every(isRecord)) throw new InvalidRecipeError('sources-malformed', `${SOURCES_KEY} is no list of sources`);
  return records.map(recordOf);
}

function recordOf({ id, name, fingerprint, bytes, contents }: SourceRecord): SourceRecord {
  return { id, name, fingerprint, bytes, ...(contents === undefined ? {} : { contents }) };
}

/** Null for what is no JSON. */
function parsed(text: string): unknown {
  try {
    return text.length > MAX_RECIPE_TEXT ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is SourceRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { id, name, fingerprint, bytes, contents } = value as Partial<Record<keyof SourceRecord, unknown>>;
  const isCount = Number.isSafeInteger(bytes) && Number(bytes) >= 0;
  return typeof id === 'string' && typeof name === 'string' && typeof fingerprint === 'string' && isCount && (contents === undefined || typeof contents === 'string');
}

/** A checkpoint that may be a source: what a SourceRecord holds of one that is open. */
export type Candidate = Pick<SourceRecord, 'id' | 'name' | 'fingerprint'>;

/**
 * The open checkpoint that each source is, by the source's id; sources that are not open are absent. Ids are of one computer and
 * one time; fingerprints are equal along a training run, whose checkpoints differ in their values only. So: the same id, else the
 * same fingerprint and name, else the same fingerprint where no other open checkpoint has it.
 */
export function matchSources(sources: readonly SourceRecord[], open: readonly Candidate[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { id, name, fingerprint } of sources) {
    const alike = open.filter((one) => one.fingerprint === fingerprint);
    const match = open.find((one) => one.id === id) ?? alike.find((one) => one.name === name) ?? (alike.length === 1 ? alike[0] : undefined);
    if (match) found.set(id, match.id);
  }
  return found;
}
