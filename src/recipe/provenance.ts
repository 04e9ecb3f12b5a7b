/** A recipe in the metadata of the safetensors files it made: dropping a merged checkpoint reopens its recipe. */
import { InvalidRecipeError } from '../bytes/errors';
import { decodeRecipe, encodeRecipe, MAX_RECIPE_TEXT } from './serialise';
import type { Recipe } from './types';

export const RECIPE_KEY = 'merging_studio.recipe';
export const SOURCES_KEY = 'merging_studio.sources';

/** What is needed to ask for a source again: its id in the recipe, its name, and what tells it from others. */
export interface SourceRecord {
  readonly id: string;
  readonly name: string;
  /** Hex SHA-256 over every shard's name, size and header bytes. */
  readonly fingerprint: string;
  /** Bytes of all shards. */
  readonly bytes: number;
}
export interface Provenance {
  readonly recipe: Recipe;
  readonly sources: readonly SourceRecord[];
}

/** Metadata for the header; the writer adds `format` itself. */
export function provenanceMetadata({ recipe, sources }: Provenance): Record<string, string> {
  const records = sources.map(({ id, name, fingerprint, bytes }) => ({ id, name, fingerprint, bytes }));
  return { [RECIPE_KEY]: encodeRecipe(recipe), [SOURCES_KEY]: JSON.stringify(records) };
}

/**
 * What `provenanceMetadata` wrote; null when the file does not come from here. Throws InvalidRecipeError as
 * `decodeRecipe` does, and `sources-malformed`.
 */
export function readProvenance(metadata: Readonly<Record<string, string>>): Provenance | null {
  if (!Object.hasOwn(metadata, RECIPE_KEY)) return null;
  const sources = Object.hasOwn(metadata, SOURCES_KEY) ? metadata[SOURCES_KEY]! : '[]';
  return { recipe: decodeRecipe(metadata[RECIPE_KEY]!), sources: readSources(sources) };
}

function readSources(text: string): SourceRecord[] {
  let parsed: unknown = null;
  try {
    parsed = text.length > MAX_RECIPE_TEXT ? null : JSON.parse(text);
  } catch {
    // Refused below with everything else that is no list of records.
  }
  if (!Array.isArray(parsed) || !parsed.every(isRecord)) throw new InvalidRecipeError('sources-malformed', `${SOURCES_KEY} is no list of sources`);
  return parsed.map(({ id, name, fingerprint, bytes }) => ({ id, name, fingerprint, bytes }));
}

function isRecord(value: unknown): value is SourceRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { id, name, fingerprint, bytes } = value as Partial<Record<keyof SourceRecord, unknown>>;
  const isCount = Number.isSafeInteger(bytes) && Number(bytes) >= 0;
  return typeof id === 'string' && typeof name === 'string' && typeof fingerprint === 'string' && isCount;
}
