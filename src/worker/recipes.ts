/** Recipes among dropped files: MergeKit's YAML, beside a merged checkpoint or alone. */
import type { ByteSource } from '../bytes/source';
import type { FileEntry } from '../checkpoint/types';
import { MAX_YAML_TEXT } from '../recipe/yaml-parse';

const YAML = /\.ya?ml$/i;
const RECIPE = /^\s*["']?merge_method["']?\s*:/m;
/** UTF-8 takes three bytes for a UTF-16 unit at most. */
const MAX_BYTES = 3 * MAX_YAML_TEXT;

/** The texts of what may be a recipe, by path. A file that cannot be read, or is none, is left out: it is listed as not used. */
export async function readRecipes(entries: readonly FileEntry[], open: (entry: FileEntry) => Promise<ByteSource>): Promise<{ file: string; text: string }[]> {
  const found: { file: string; text: string }[] = [];
  for (const entry of entries.filter(({ path, size }) => YAML.test(path) && size <= MAX_BYTES)) {
    try {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(await (await open(entry)).read(0, entry.size));
      if (RECIPE.test(text)) found.push({ file: entry.path, text });
    } catch {
      continue;
    }
  }
  return found;
}
