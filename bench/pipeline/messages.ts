/** What the page of measurements asks its worker beside the studio's own requests. */
import type { Copied } from '../raw-copy';

/** The files of each model. */
export type ModelFiles = readonly (readonly File[])[];

export type Ask = { readonly ask: 'copy'; readonly models: ModelFiles } | { readonly ask: 'ledger' } | { readonly ask: 'reads' };

/** Reads of inputs of 64 KiB or more since they were last asked for. */
export interface Reads {
  readonly count: number;
  readonly bytes: number;
}

/** Most bytes of device buffers alive at once since the backend was started; null where there is no device. */
export type Ledger = number | null;

export type Answer = { readonly answer: 'copy'; readonly copied: Copied } | { readonly answer: 'ledger'; readonly peakBytes: Ledger } | { readonly answer: 'reads'; readonly reads: Reads } | { readonly answer: 'failed'; readonly message: string };
