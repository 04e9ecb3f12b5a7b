/** Display names of checkpoints: short, and different from each other. */

/** Where a name comes from: the folder ('' for none) and what its files are called, when the folder does not say it. */
export interface Named {
  readonly folder: string;
  readonly stem: string | null;
}

/**
 * One name each, in order. The folder's own name, or `org/name` for `models--org--name/snapshots/<revision>` of a Hugging
 * Face cache; file stems where files share a folder or have none. Equal names get their parent folders in front (or the
 * revision behind) until they differ, and a number where nothing is left that could tell them apart.
 */
export function displayNames(checkpoints: readonly Named[]): string[] {
  const candidates = checkpoints.map(candidatesOf);
  const level = candidates.map(() => 0);
  for (;;) {
    const names = candidates.map((list, i) => list[level[i]!]!);
    const raised = names.map((name, i) => isRepeated(names, name) && level[i]! + 1 < candidates[i]!.length);
    if (!raised.includes(true)) return numbered(names);
    raised.forEach((raise, i) => {
      if (raise) level[i]!++;
    });
  }
}

/** Names to try, shortest first. */
function candidatesOf({ folder, stem }: Named): string[] {
  const { parts, revision } = readCachePath(folder === '' ? [] : folder.split('/'));
  const all = stem === null ? parts : [...parts, stem];
  const longer = all.map((_, i) => all.slice(all.length - 1 - i).join('/'));
  const [shortest = 'model', ...rest] = longer;
  return revision === null ? [shortest, ...rest] : [shortest, ...longer.map((name) => `${name}@${revision.slice(0, 7)}`)];
}

/** `.../models--org--name/snapshots/<revision>/...` as `.../org/name/...` in one part, with the revision. */
function readCachePath(parts: readonly string[]): { parts: string[]; revision: string | null } {
  const at = parts.findIndex((part, i) => part.startsWith('models--') && parts[i + 1] === 'snapshots' && parts[i + 2] !== undefined);
  if (at < 0) return { parts: [...parts], revision: null };
  const [, owner = '', ...name] = parts[at]!.split('--');
  const repository = name.length === 0 ? owner : `${owner}/${name.join('--')}`;
  return { parts: [...parts.slice(0, at), repository, ...parts.slice(at + 3)], revision: parts[at + 2]! };
}

const isRepeated = (names: readonly string[], name: string) => names.indexOf(name) !== names.lastIndexOf(name);

function numbered(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let unique = name;
    for (let n = 2; taken.has(unique); n++) unique = `${name} (${n})`;
    taken.add(unique);
    return unique;
  });
}
