/**
 * Counting keys for a ranking over more than one group (merging.md sections 2 and 6, whole-model scope): the keys of each slot
 * that begin with certain digits, by their next digit. This file constructs nothing.
 */

/** A run of bits of a 31-bit key. */
export interface KeyDigit {
  /** Lowest bit. */
  readonly shift: number;
  /** 0 to 16; with 0 bits one key is counted. */
  readonly bits: number;
}

/** Where the keys of one slot are counted, and which. */
export interface TallyPlace {
  /** Row they are added to: several slots may share one. */
  readonly row: number;
  /** Keys [low, low + 2^(shift + bits)) are counted by their digit; a multiple of 2^(shift + bits). */
  readonly low: number;
}

/** The tallies of one call are of models, or of the margins of one preferred model. */
export interface Tally {
  /**
   * Whose keys: |tau_i| of model i, NaN as 0x7fffffff; or null, the margins: 0x7fffffff less the key of |e| where the preferred
   * model is discarded and its value may be given back, so that here too the first in the ranking have the largest keys.
   */
  readonly model: number | null;
  /** Index of the preferred model; read for the margins alone. */
  readonly prefer: number;
  readonly digit: KeyDigit;
  readonly rows: number;
  /** Per slot; null: none of its keys. */
  readonly slots: readonly (TallyPlace | null)[];
}

export interface TallyCounts {
  /** rows x 2^bits. */
  readonly counts: Uint32Array<ArrayBuffer>;
  /** Per row: keys beyond those counted by digit. */
  readonly above: Uint32Array<ArrayBuffer>;
}
