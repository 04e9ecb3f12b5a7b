/** The checkpoints that are open, and the way from a checkpoint's shard to its bytes. */
import { StudioError } from '../bytes/errors';
import type { ByteSource } from '../bytes/source';
import { openCheckpoints } from '../checkpoint/open';
import type { Checkpoint, FileEntry } from '../checkpoint/types';
import { VocabularyReader } from '../checkpoint/vocabulary';
import type { FileStore, Registered } from '../files/store';
import type { OpenResult } from './protocol';

/** What opening brings, but for the tables, which are none of a catalogue's. */
export type Opened = Omit<OpenResult, 'results'>;

export class Catalogue {
  private readonly open = new Map<string, Checkpoint>();
  /** Shards dropped without a folder that wait for the rest of their checkpoint. */
  private waiting: readonly FileEntry[] = [];
  private opening: Promise<unknown> = Promise.resolve();
  private readonly vocabularies = new VocabularyReader();

  constructor(private readonly store: FileStore) {}

  /** In the order of opening. */
  get checkpoints(): readonly Checkpoint[] {
    return [...this.open.values()];
  }

  /**
   * Opens what `given` holds; the result lists only that. Loose shards (no folder) whose checkpoint is incomplete are kept and
   * tried again with the next ones, so that shards may come one by one. A checkpoint that is open already is given its new
   * files, whose permission is fresh. Names differ from those of all open checkpoints.
   */
  add(given: Registered): Promise<Opened> {
    const result = this.opening.then(() => this.join(given));
    this.opening = result.catch(() => {});
    return result;
  }

  /** Forgets a checkpoint and its files. One that is not open is no error: two tabs of the page may close it. */
  close(id: string): void {
    const checkpoint = this.open.get(id);
    if (checkpoint) this.store.release(filesOf(checkpoint));
    this.open.delete(id);
  }

  /** A source of one shard, checked to be as it was. Rejects with SourceChangedError. */
  openShard(checkpoint: string, shard: number): Promise<ByteSource> {
    const file = this.open.get(checkpoint)?.shards[shard]?.file;
    if (file) return this.store.open(file);
    return Promise.reject(new StudioError('internal', 'not-open', `shard ${shard} of checkpoint ${checkpoint} is not open`, { model: checkpoint }));
  }

  private async join({ entries, problems: unregistered }: Registered): Promise<Opened> {
    const files = [...this.waiting, ...entries];
    const { checkpoints, problems, ignored } = await openCheckpoints(files, (file) => this.store.open(file));
    const stems = new Set(problems.filter(({ error }) => error.reason === 'missing-shards').map(({ file }) => stemOf(file)));
    this.waiting = files.filter(({ path }) => !path.includes('/') && stems.has(stemOf(path)));

    // By id: files of a cache have got other paths.
    const kept = new Set([...this.waiting, ...checkpoints.flatMap(filesOf)].map(({ id }) => id));
    this.store.release(files.filter(({ id }) => !kept.has(id)));
    const open = (file: FileEntry) => this.store.open(file);
    const known = await Promise.all(checkpoints.map((checkpoint) => this.vocabularies.with(checkpoint, open)));
    return {
      checkpoints: known.map((checkpoint) => withoutVocabulary(this.adopt(checkpoint))),
      problems: [...unregistered, ...problems].map(({ file, error }) => ({ file, error: error.toWire() })),
      ignored,
    };
  }

  private adopt(checkpoint: Checkpoint): Checkpoint {
    const before = this.open.get(checkpoint.id);
    if (before) this.store.release(filesOf(before));
    const name = before?.name ?? uniqueName(checkpoint.name, new Set(this.checkpoints.map((other) => other.name)));
    const adopted = { ...checkpoint, name };
    this.open.set(adopted.id, adopted);
    return adopted;
  }
}

/** As the page has it: a vocabulary takes megabytes, and only planning asks for it. */
function withoutVocabulary({ vocabulary: _, ...checkpoint }: Checkpoint): Checkpoint {
  return checkpoint;
}

/** Shards and sidecars. */
export function filesOf({ shards, sidecars }: Checkpoint): readonly FileEntry[] {
  return [...shards.map(({ file }) => file), ...sidecars];
}

/** What the shards and the index of one checkpoint have in common. */
const stemOf = (path: string) => path.replace(/(-\d+-of-\d+)?\.safetensors(\.index\.json)?$/, '');

function uniqueName(name: string, taken: ReadonlySet<string>): string {
  let unique = name;
  for (let n = 2; taken.has(unique); n++) unique = `${name} (${n})`;
  return unique;
}
