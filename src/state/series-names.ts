/** What is set by hand of a series, by checkpoint id on the page and by name in a link. */
import { recordOf } from './choices';
import type { SeriesState } from './types';

export const NO_SERIES: SeriesState = { along: null, members: {}, tokens: {} };

/** With other names for its checkpoints; what `nameOf` has none for is left out. */
export function renamedSeries({ along, members, tokens }: SeriesState, nameOf: (id: string) => string | undefined): SeriesState {
  const named = <T>(of: Readonly<Record<string, T>>) => Object.fromEntries(Object.entries(of).flatMap(([id, value]) => (nameOf(id) === undefined ? [] : [[nameOf(id)!, value]])));
  return { along: along === null ? null : (nameOf(along) ?? null), members: named(members), tokens: named(tokens) };
}

/** Two series as one; what both say is as `later` says. */
export function joinedSeries(earlier: SeriesState, later: SeriesState): SeriesState {
  return { along: later.along ?? earlier.along, members: { ...earlier.members, ...later.members }, tokens: { ...earlier.tokens, ...later.tokens } };
}

/** What of a link's series is open, by id, and what is left to wait for. */
export function takenSeries(wanted: SeriesState, open: readonly { readonly id: string; readonly name: string }[]): { taken: SeriesState; left: SeriesState } {
  const ids = new Map(open.map(({ id, name }) => [name, id]));
  return { taken: renamedSeries(wanted, (name) => ids.get(name)), left: renamedSeries(wanted, (name) => (ids.has(name) ? undefined : name)) };
}

/** A series that was kept as JSON; what is malformed counts as absent. */
export function readSeries(value: unknown): SeriesState {
  const { along, members, tokens } = recordOf(value);
  const only = <T>(of: unknown, test: (one: unknown) => one is T) => Object.fromEntries(Object.entries(recordOf(of)).filter((entry): entry is [string, T] => test(entry[1])));
  return {
    along: typeof along === 'string' ? along : null,
    members: only(members, (one) => typeof one === 'boolean'),
    tokens: only(tokens, (one): one is number => typeof one === 'number' && Number.isFinite(one) && one > 0),
  };
}
