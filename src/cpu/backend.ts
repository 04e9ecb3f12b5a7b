/** The CPU backend: the definitions of merging.md on typed arrays, part by part; equal to the reference to the bit. */
import { BufferRing, MOST_WASTE } from '../bytes/buffer-ring';
import { asStudioError } from '../bytes/errors';
import { Watchdog } from '../bytes/watchdog';
import { withHost } from '../merge/on-host';
import type { Backend, Group, MergeOptions, WriteSegment } from '../merge/backend';
import { drops } from '../recipe/methods';
import { createReferenceBackend } from '../reference/backend';
import { Pace } from '../reference/pace';
import { adapt, workOf } from './adapt';
import { createHeld } from './held';
import { inlineCrew } from './inline';
import { CONCURRENCY, heldBytes, mergeGroup, RESIDENT_BYTES, type Means } from './merging';
import type { Crew } from './part-types';
import { Pool, POOL_DIED } from './pool';
import type { PoolWorker } from './pool-messages';
import { tallyGroup } from './tally';
import { createWorkspace, type Workspace } from './workspace';

/** A chunk of 2 M elements of three bf16 inputs and their output: enough to keep a worker busy for a twentieth of a second. */
const CHUNK_BYTES = 16 * 2 ** 20;
/** Groups of fewer elements are done sooner than workers are told of them. */
const LEAST_POOLED = 2 ** 17;

/** Buffers that may lie idle, of what groups may hold of their inputs: half of what is read ahead at once (merge/chunk-reading). */
const SPARE = 1 / 6;

export interface CpuOptions {
  /** Bytes of a group's inputs that are kept between passes. */
  readonly residentBytes?: number;
  /** How many workers `spawn` makes; none: everything is done on this thread. */
  readonly workers?: number;
  /** Called once for each worker, when the first group is large enough for them. */
  readonly spawn?: () => PoolWorker;
  /** Fewest elements of a group that workers are told of. */
  readonly leastPooled?: number;
  /** Finds workers that never answer; default one over real time. */
  readonly watchdog?: Watchdog;
  /** Whether this thread uses WebAssembly SIMD where it runs (default); typed arrays otherwise. Workers decide for themselves. */
  readonly simd?: boolean;
}

/**
 * Needs nothing of its environment, so it runs the same in a page, in a worker and under Node. When one of its workers dies, or gives
 * no answer for three minutes, the merge under way goes on from the segments it has written, on this thread, and so do all later ones.
 * A call that is aborted does not wait for such a worker.
 */
export function createCpuBackend({ residentBytes = RESIDENT_BYTES, workers = 0, spawn, leastPooled = LEAST_POOLED, watchdog = new Watchdog(), simd = true }: CpuOptions = {}): Backend {
  // Compiling takes milliseconds, and a backend may only be asked what it is.
  let own: Workspace | null = null;
  const workspaceOf = () => (own ??= createWorkspace(simd));
  let team = spawn === undefined ? 0 : workers;
  let pool: Pool | null = null;
  const labelOf = () => {
    const hands = team === 0 ? 'one thread' : team === 1 ? '1 worker' : `${team} workers`;
    return `CPU, ${hands}${workspaceOf().simd ? ', SIMD' : ''}`;
  };

  const spareBytes = Math.ceil(SPARE * residentBytes);
  const ring = new BufferRing(spareBytes);
  let isDisposed = false;
  /** The pool, or null where this thread does as well. */
  const poolFor = (elements: number): Pool | null => {
    if (team === 0 || spawn === undefined || elements < leastPooled) return null;
    pool ??= new Pool(Array.from({ length: team }, spawn), ring, watchdog);
    return pool;
  };
  /** Makes the attempt with the pool, and again on this thread when one of its workers dies. */
  const withCrew = async <T>(group: Group, signal: AbortSignal | undefined, attempt: (means: Means) => Promise<T>): Promise<T> => {
    const pace = new Pace(signal);
    const pause = () => pace.pause();
    const by = (crew: Crew) => attempt({ crew, workspace: workspaceOf(), pause, residentBytes });
    const crew = poolFor(elementsIn(group));
    try {
      return await (crew ? watchdog.until(signal, () => by(crew)) : by(inlineCrew(pause, workspaceOf(), ring)));
    } catch (error) {
      if (crew === null || !hasDied(error)) throw error;
      return by(inlineCrew(pause, workspaceOf(), ring));
    }
  };
  /** Whether a worker's death is what went wrong: then this thread does what comes, of every group that the pool had. */
  const hasDied = (error: unknown): boolean => {
    if (isDisposed || asStudioError(error).reason !== POOL_DIED) return false;
    team = 0;
    return true;
  };
  const merge: Backend['merge'] = (group, parameters, read, write, { signal, onChunk } = {}) => {
    const attempt = attemptsOf(write, onChunk);
    return withCrew(group, signal, (means) => {
      const { writeNew, onNewChunk } = attempt();
      return mergeGroup(group, parameters, read, writeNew, means, onNewChunk);
    });
  };

  return withHost({
    get info() {
      return { kind: 'cpu', label: labelOf(), software: false, arithmetic: 'native' } as const;
    },
    chunkBytes: CHUNK_BYTES,
    get concurrency() {
      return team === 0 ? 1 : CONCURRENCY;
    },
    // Workers have buffers that go round: some a little larger than they need be, some idle.
    heldBytes: (group) => (team === 0 ? heldBytes(group, 1, residentBytes) + spareBytes : Math.ceil((1 + MOST_WASTE) * heldBytes(group, team, residentBytes)) + Math.ceil(spareBytes / CONCURRENCY)),
    buffers: ring,
    merge,
    tally: (group, parameters, tallies, read, { signal } = {}) => withCrew(group, signal, (means) => tallyGroup(group, parameters, tallies, read, means)),
    // Ranks are what a held group keeps of its values: a draw has none.
    hold: (group, read) => (drops(group.method) ? createReferenceBackend().hold(group, read) : createHeld(group, read)),
    async adapt(request, signal) {
      const pace = new Pace(undefined);
      const crew = poolFor(workOf(request));
      try {
        if (crew !== null) return await watchdog.until(signal, () => crew.adapt(request));
      } catch (error) {
        if (!hasDied(error)) throw error;
      }
      return adapt(request, () => pace.pause());
    },
    dispose() {
      isDisposed = true;
      team = 0;
      pool?.dispose();
    },
  });
}

const elementsIn = (group: Group) => group.chunks.flat().reduce((sum, { count }) => sum + count, 0);

/** Attempts at one merge: what an earlier one has written or reported, a later one does not again. */
function attemptsOf(write: WriteSegment, onChunk: MergeOptions['onChunk']) {
  let written = 0;
  let reported = 0;
  return () => {
    let place = 0;
    const writeNew: WriteSegment = async (segment, bytes) => {
      if (place++ < written) return;
      written++;
      await write(segment, bytes);
    };
    const onNewChunk = (done: number, of: number) => {
      if (done > reported) onChunk?.((reported = done), of);
    };
    return { writeNew, onNewChunk };
  };
}
