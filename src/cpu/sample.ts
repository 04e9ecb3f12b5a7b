/** A few blocks spread over a slot that is not kept, read before all of it: where its thresholds are likely to be. */
import type { Piece } from './layout';
import { elementsOf } from './layout';
import { Part } from './part';
import type { Decision } from './part-types';
import { bracket, type KeyRange } from './select';
import type { PartStore } from './store';
import type { Workspace } from './workspace';

/** Enough blocks to tell how rows differ, each a read of its own and input; together 98,304 values. */
const BLOCKS = 48;
const BLOCK_VALUES = 2048;
/** Values that are taken at once: a whole number of steps of every kernel. */
const RUN = 16;
/** Bins of the first round: later ones go over what was set aside, not over the parts. */
const BRACKET_BINS = 2 ** 12;

interface Block {
  readonly piece: number;
  readonly part: Part;
  readonly count: number;
}

export class SlotSample {
  private constructor(
    private readonly pieces: readonly Piece[],
    private readonly blocks: readonly Block[],
  ) {}

  static async read(pieces: readonly Piece[], store: PartStore, workspace: Workspace, pause: () => Promise<void>): Promise<SlotSample> {
    const blocks: Block[] = [];
    const total = pieces.reduce((sum, { spec }) => sum + spec.count, 0);
    let [p, before] = [0, 0];
    for (let b = 0; b < BLOCKS; b++) {
      const place = Math.floor(((b + 0.5) * total) / BLOCKS);
      while (place >= before + pieces[p]!.spec.count) before += pieces[p++]!.spec.count;
      const piece = pieces[p]!;
      const count = Math.min(BLOCK_VALUES, piece.spec.count - (piece.spec.count % RUN));
      if (count === 0) continue;
      await pause();
      const first = 2 * Math.floor(Math.min(place - before, piece.spec.count - count) / 2);
      const spec = { ...piece.spec, count };
      blocks.push({ piece: p, part: new Part(spec, await store.readWithin(piece, first, count), workspace), count });
    }
    return new SlotSample(pieces, blocks);
  }

  /** Where the `count`-th largest |tau| of `model` is likely to be. */
  bracketOf(model: number, count: number): KeyRange {
    const keys = this.blocks.map(({ piece, part, count: values }) => {
      if (this.pieces[piece]!.spec.dtypes[model + 1] === null) return new Uint32Array();
      const own = new Uint32Array(values);
      return own.subarray(0, part.sampleKeys(model, RUN, RUN, own, 0));
    });
    return bracketOfBlocks(keys, count, elementsOf(this.pieces, model));
  }

  /**
   * Where the last of the margins is likely to be that `countOf` all of them gives back, as complemented keys; null where the sample
   * holds none. `decisions` are those of the pieces.
   */
  bracketOfMargins(decisions: readonly Decision[], countOf: (discarded: number) => number): KeyRange | null {
    const keys = this.blocks.map(({ piece, part }) => Uint32Array.from(part.marginKeys(decisions[piece]!)));
    const found = keys.reduce((sum, { length }) => sum + length, 0);
    const values = this.blocks.reduce((sum, { count }) => sum + count, 0);
    const discarded = Math.round((found / values) * this.pieces.reduce((sum, { spec }) => sum + spec.count, 0));
    const count = countOf(discarded);
    return found === 0 || count === 0 ? null : bracketOfBlocks(keys, count, discarded);
  }
}

/** The bracket of a sample whose blocks may differ: the deviation of what they hold above it counts where it is the larger one. */
function bracketOfBlocks(blocks: readonly Uint32Array[], count: number, keys: number): KeyRange {
  const sample = new Uint32Array(blocks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const own of blocks) {
    sample.set(own, at);
    at += own.length;
  }
  sample.sort();
  const share = count / keys;
  const middle = sample[Math.max(0, sample.length - 1 - Math.floor(share * sample.length))] ?? 0;
  const excess = blocks.filter(({ length }) => length > 0).map((own) => own.reduce((sum, key) => sum + Number(key > middle), 0) - share * own.length);
  const variance = excess.reduce((sum, own) => sum + own ** 2, 0) / Math.max(1, excess.length - 1);
  return bracket(sample, count, keys, BRACKET_BINS, Math.sqrt(variance * excess.length));
}
