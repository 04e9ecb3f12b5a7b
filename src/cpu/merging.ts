/** Merging a group: its slots decided, its segments written in order. */
import { joinBytes } from '../bytes/join';
import type { Group, GroupResult, Kept, MergeOptions, ReadSegment, SlotResult, WriteSegment } from '../merge/backend';
import { addFigures, emptyFigures } from '../merge/figures';
import { chunkInputBytes, chunkOutputBytes } from '../merge/steps';
import type { TensorParameters } from '../recipe/types';
import { NAN_KEY } from '../reference/select';
import { inOrder } from './in-order';
import { inputBytes, piecesOf, type Piece } from './layout';
import type { Crew, MergedPart, PartPasses } from './part-types';
import { decideSlot, LEAST_SAMPLED, type DecidedSlot, type SlotJob } from './slot';
import { PartStore } from './store';
import type { Workspace } from './workspace';

/** One group is merged while the next is selected in, so that workers are idle in neither's gaps. */
export const CONCURRENCY = 2;

/** Inputs of a group up to this size are kept between the passes; larger ones are read again for each. */
export const RESIDENT_BYTES = 512 * 2 ** 20;

/**
 * Most bytes of a group that `mergeGroup` has at once with `workers`: all inputs where they are kept, else the chunks at work, what
 * selections set aside, and the output of the chunks that are at work or wait to be written.
 */
export function heldBytes(group: Group, workers: number, residentBytes: number): number {
  const inputs = group.chunks.map((chunk) => chunkInputBytes(group, chunk));
  const outputs = group.chunks.map((chunk) => chunkOutputBytes(group, chunk));
  const all = inputs.reduce((sum, bytes) => sum + bytes, 0);
  const atWork = Math.min(group.chunks.length, workers + 2);
  const kept = group.chunks.length === 1 || all <= residentBytes ? all + keptAside(group) : atWork * Math.max(...inputs) + asideBytes(residentBytes);
  return kept + atWork * Math.max(...outputs);
}

/** What selections may set aside of a group that is kept: keys of each model's bracket (part.ts, an eighth of all), and those of the margins. */
function keptAside({ method, slots }: Group): number {
  const bytesOf = ({ elements, inputs }: Group['slots'][number]) => (elements < LEAST_SAMPLED ? 0 : ((inputs.length - 1) * elements) / 2) + (method === 'ties_sv' ? 4 * elements : 0);
  return slots.reduce((sum, slot) => sum + bytesOf(slot), 0);
}

/** A key set aside, and its share of those that are counted (gathered.ts). */
const ASIDE_BYTES_PER_KEY = 6;
/** What selections may set aside of a group that is not kept: keys of the brackets. */
const asideBytes = (residentBytes: number) => residentBytes / 2;

/** `pieces`, each told how many keys one selection may set aside of it. */
function withAside(pieces: readonly Piece[], residentBytes: number): Piece[] {
  const elements = pieces.reduce((sum, { spec }) => sum + spec.count, 0);
  return pieces.map((piece) => {
    const { spec } = piece;
    // The models' brackets at once; that of the margins comes after them.
    const keys = asideBytes(residentBytes) / ASIDE_BYTES_PER_KEY / Math.max(1, spec.dtypes.length - 1);
    return { ...piece, spec: { ...spec, gathered: Math.floor(Math.min(spec.count / 8, (keys * spec.count) / elements)) } };
  });
}

export interface Means {
  readonly crew: Crew;
  /** Of this thread. */
  readonly workspace: Workspace;
  readonly pause: () => Promise<void>;
  readonly residentBytes: number;
}

export async function mergeGroup(
  group: Group,
  parameters: readonly TensorParameters[],
  read: ReadSegment,
  write: WriteSegment,
  { crew, workspace, pause, residentBytes }: Means,
  onChunk: MergeOptions['onChunk'],
): Promise<GroupResult> {
  const { pieces, jobs } = jobsOf(group, parameters, read, { crew, workspace, pause, residentBytes });
  try {
    const decided: DecidedSlot[] = [];
    // Slots side by side, or a small one would leave all workers but one idle.
    await inOrder(jobs, 2 * crew.size - 1, async (job) => ({ result: decideSlot(job) }), (slot) => void decided.push(slot));
    return await writeGroup(group, pieces, jobs, decided, write, pause, crew, onChunk);
  } finally {
    for (const { store } of jobs) store.release();
  }
}

/** What is to be done with each slot, and the parts that they lie in. Throws RangeError when there are not as many parameters as slots. */
export function jobsOf(group: Group, parameters: readonly TensorParameters[], read: ReadSegment, { crew, workspace, pause, residentBytes }: Means) {
  if (parameters.length !== group.slots.length) {
    throw new RangeError(`${parameters.length} sets of parameters for ${group.slots.length} slots`);
  }
  // What is cut is copied; of several groups each keeps its share of the workers busy.
  const all = piecesOf(group, Math.ceil(crew.size / CONCURRENCY));
  const resident = group.chunks.length === 1 || inputBytes(all) <= residentBytes;
  const pieces = resident ? all : withAside(all, residentBytes);
  const jobs = group.slots.map((slot, s): SlotJob => {
    const store = new PartStore(crew, read, slot.name, resident);
    return { method: group.method, slot, parameters: parameters[s]!, pieces: pieces.filter(({ segment }) => segment.slot === s), store, crew, pause, workspace };
  });
  return { pieces, jobs };
}

async function writeGroup(
  group: Group,
  pieces: readonly Piece[],
  jobs: readonly SlotJob[],
  decided: readonly DecidedSlot[],
  write: WriteSegment,
  pause: () => Promise<void>,
  crew: Crew,
  onChunk: MergeOptions['onChunk'],
): Promise<GroupResult> {
  const results = jobs.map((job, s) => new SlotMerge(job, decided[s]!));
  const segments = group.chunks.map((chunk) => chunk.map(({ slot }) => emptyFigures(group.slots[slot]!.inputs.length - 1)));
  let gathered: Uint8Array<ArrayBuffer>[] = [];
  await inOrder(
    pieces,
    crew.size + 1,
    async (piece) => {
      await pause();
      const part = await jobs[piece.segment.slot]!.store.open(piece);
      return { result: results[piece.segment.slot]!.merge(piece, part) };
    },
    async ({ bytes, figures }, piece, p) => {
      // In order: the cost of reserving is a sum of floats.
      addFigures(segments[piece.chunk]![piece.place]!, figures);
      results[piece.segment.slot]!.add(figures);
      gathered.push(bytes);
      if (!piece.isLast) return;
      await pause();
      await write(piece.segment, gathered.length === 1 ? gathered[0]! : joinBytes(gathered));
      gathered.forEach((part) => crew.recycle(part));
      gathered = [];
      if (pieces[p + 1]?.chunk !== piece.chunk) onChunk?.(piece.chunk + 1, group.chunks.length);
    },
  );
  return { slots: results.map((slot) => slot.result()), segments };
}

/** What is known of a slot as its parts are merged. */
class SlotMerge {
  private readonly figures;
  private readonly cutoffs: number[];
  private reservedCutoff = 0;

  constructor(
    private readonly job: SlotJob,
    private readonly decided: DecidedSlot,
  ) {
    this.figures = emptyFigures(job.slot.inputs.length - 1);
    this.cutoffs = job.slot.inputs.slice(1).map(() => 0);
  }

  add(figures: MergedPart['figures']): void {
    addFigures(this.figures, figures);
  }

  async merge(piece: Piece, part: PartPasses): Promise<MergedPart> {
    const { store, pieces } = this.job;
    try {
      const merged = await part.merge(this.decided.decisions[pieces.indexOf(piece)]!);
      const before = piece.segment.first + piece.offset;
      for (const [model, last] of merged.last.entries()) if (last !== null) this.cutoffs[model] = before + last;
      if (merged.reservedLast !== null) this.reservedCutoff = before + merged.reservedLast;
      return merged;
    } finally {
      store.drop(piece, part);
    }
  }

  result(): SlotResult {
    const { thresholds, reserveThreshold } = this.decided;
    const kept = thresholds.map((threshold, model): Kept | null => {
      if (threshold === null) return null;
      return threshold === undefined ? { threshold: 0, cutoff: this.job.slot.elements } : { threshold, cutoff: this.cutoffs[model]! };
    });
    const nothing: Kept = { threshold: 0, cutoff: 0 };
    const given = reserveThreshold === undefined ? nothing : reserveThreshold === null ? null : { threshold: NAN_KEY - reserveThreshold, cutoff: this.reservedCutoff };
    return { figures: this.figures, kept, reserved: given };
  }
}
