/** What a merge is of, for its journal; and the same merge again from files that were dropped anew. */
import { sha256Hex } from '../bytes/sha256';
import { NO_CONTENTS } from '../checkpoint/contents';
import type { Checkpoint } from '../checkpoint/types';
import { areMatchedByToken } from '../checkpoint/vocabulary';
import { exportMetadata } from '../export/files';
import type { Journal, JournalSource } from '../merge/journal-types';
import type { JournalHooks } from '../merge/journaling';
import type { FitChoices } from '../merge/plan-types';
import type { RecipeText } from '../recipe/mergekit';
import { encodeRecipe } from '../recipe/serialise';
import type { Recipe } from '../recipe/types';

export interface MergeSubject {
  /** Name and version of this application. */
  readonly application: string;
  readonly recipe: Recipe;
  readonly choices: FitChoices;
  readonly text: RecipeText | null;
  /** Largest output shard, payload bytes. */
  readonly shardBytes: number;
  /** The recipe's, base first. */
  readonly checkpoints: readonly Checkpoint[];
  /** Hash over the values of each, by id. */
  readonly contents: ReadonlyMap<string, string>;
}
export interface Undertaking {
  /** For the plan: the same bytes as the merge that is resumed has. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly journal: JournalHooks;
}

/**
 * `resume`: the journal of an earlier attempt. Checkpoints have ids of one time and place, which the metadata of its shards holds:
 * those that are what they were, wherever they lie now, go by the ids of the journal.
 */
export function undertakingOf({ application, recipe, choices: decided, text, shardBytes, checkpoints, contents }: MergeSubject, resume: Journal | null): Undertaking {
  const choices = ordered(decided);
  const ids = idsOfJournal(resume, checkpoints, contents);
  const own = <T>(value: T) => withIds(value, ids);
  const hashes = new Map([...contents].map(([id, hash]) => [own(id), hash]));
  const named = checkpoints.map((checkpoint) => ({ ...checkpoint, id: own(checkpoint.id) }));
  const beside = besideWeights(named, own(recipe), choices);
  const sources = named.map((checkpoint) => sourceOf(checkpoint, hashes.get(checkpoint.id) ?? NO_CONTENTS, beside.get(checkpoint.id) ?? null));
  const before = new Map(resume?.subject.sources.map((source) => [source.id, source]));
  return {
    metadata: exportMetadata(own(recipe), named, own(choices), hashes),
    journal: {
      subject: { application, recipe: encodeRecipe(own(recipe)), choices: JSON.stringify(own(choices)), text: JSON.stringify(text), shardBytes, sources },
      ...(resume ? { resume } : {}),
      isWritten: ({ checkpoint, shard }) => {
        const id = own(checkpoint);
        const [now, then] = [sources.find((source) => source.id === id)?.files[shard], before.get(id)?.files[shard]];
        return now === undefined || now.size !== then?.size || now.modified !== then.modified;
      },
    },
  };
}

function sourceOf({ id, name, fingerprint, bytes, shards }: Checkpoint, contents: string, beside: string | null): JournalSource {
  return { id, name, fingerprint, bytes, contents, beside, files: shards.map(({ file: { path, size, modified } }) => ({ name: path.split('/').at(-1)!, size, modified })) };
}

/** By id, a hash over what of a checkpoint's adapter_config.json and tokenizer.json its values are merged by. */
function besideWeights(checkpoints: readonly Checkpoint[], { base, models }: Recipe, { rows }: FitChoices): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { id, adapter } of checkpoints) {
    // What it says its base is called forms no value.
    if (adapter) found.set(id, hashOf({ ...adapter, baseModel: null }));
  }
  const first = checkpoints.find(({ id }) => id === (base ?? models[0]?.model));
  if (rows === 'id' || !first) return found;
  for (const one of checkpoints) {
    if (one === first || !areMatchedByToken(first, one)) continue;
    for (const { id, vocabulary } of [first, one]) found.set(id, hashOf(vocabulary!.tokens));
  }
  return found;
}

const hashOf = (value: unknown) => sha256Hex(new TextEncoder().encode(JSON.stringify(value)));

/** The journal's id of each open checkpoint it knows, by the id it has now. */
function idsOfJournal(journal: Journal | null, checkpoints: readonly Checkpoint[], contents: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const left = [...(journal?.subject.sources ?? [])];
  const found = new Map<string, string>();
  for (const { id, fingerprint } of checkpoints) {
    const alike = left.filter((source) => source.fingerprint === fingerprint && source.contents === contents.get(id));
    const source = alike.find((one) => one.id === id) ?? alike[0];
    if (!source) continue;
    found.set(id, source.id);
    left.splice(left.indexOf(source), 1);
  }
  return found;
}

/** In one order of keys and names, whatever the order of deciding: equal choices are equal text. */
function ordered({ leaveOut, extraRows, integerFrom, allowNonfinite, rows }: FitChoices): FitChoices {
  const sorted = <T>(of: Readonly<Record<string, T>>) => Object.fromEntries(Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { leaveOut: sorted(leaveOut), extraRows, integerFrom: sorted(integerFrom), allowNonfinite, ...(rows === 'id' ? { rows } : {}) };
}

/** A value with other ids wherever it names a checkpoint. An id is 16 hexadecimal digits: nothing else in a recipe looks like one. */
function withIds<T>(value: T, ids: ReadonlyMap<string, string>): T {
  return JSON.parse(JSON.stringify(value), (_, part: unknown) => (typeof part === 'string' ? (ids.get(part) ?? part) : part)) as T;
}
