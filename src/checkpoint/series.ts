/** Checkpoints of one run: the same name but for a quantity. */
import { guessTokens } from './roles';
import type { Checkpoint } from './types';

type Named = Pick<Checkpoint, 'id' | 'name'>;

/** A name without its numbers: `ct-x-256k` and `ct-x-4M` share one, `checkpoint-500` and `checkpoint-1000` as well. */
export function stemOf(name: string): string {
  return name
    .toLowerCase()
    .replace(/\d+(?:\.\d+)?[kmbgt]?(?:tok(?:en)?s?)?(?![a-z])/g, '#')
    .replace(/[^\p{L}#]+/gu, '-');
}

/** Training steps that a name states (`checkpoint-500`, `global_step2000`), or null. They order a run whose tokens nobody wrote down. */
export function guessSteps(name: string): number | null {
  const found = /(?:checkpoint|ckpt|step|iter)s?[-_. ]?(\d+)(?![\d.]*[a-z])/i.exec(name);
  return found === null ? null : Number(found[1]);
}

/**
 * Ids of the checkpoints of the run that `id` belongs to, itself included: those of its stem, by tokens, then by steps, then as
 * given. Tokens are guessed from names unless `tokens` has them.
 */
export function runOf(id: string, open: readonly Named[], tokens: Readonly<Record<string, number>> = {}): string[] {
  const own = open.find((one) => one.id === id);
  if (own === undefined) return [];
  const stem = stemOf(own.name);
  const place = ({ id: other, name }: Named) => tokens[other] ?? guessTokens(name) ?? guessSteps(name) ?? Infinity;
  return open
    .filter(({ name }) => stemOf(name) === stem)
    .toSorted((a, b) => (place(a) === place(b) ? 0 : place(a) - place(b)))
    .map((one) => one.id);
}
