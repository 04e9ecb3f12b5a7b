/** What a pool and its workers say to each other. Arrays move: their buffers are transferred. */
import type { WireError } from '../bytes/errors';
import type { AdaptRequest } from '../merge/adapting';
import type { Decision, MagnitudeSums, MergedPart, PartSpec } from './part-types';
import type { KeyRange, Tally } from './select';
import type { Cut } from './trim';

export type PassRequest =
  | { readonly pass: 'tally'; readonly model: number; readonly range: KeyRange }
  | { readonly pass: 'margins'; readonly decision: Decision; readonly range: KeyRange }
  | { readonly pass: 'magnitudes'; readonly model: number; readonly cut: Cut; readonly before: MagnitudeSums }
  | { readonly pass: 'merge'; readonly decision: Decision };
/** Values of an adapter, F32. */
export interface Formed {
  readonly formed: Uint8Array<ArrayBuffer>;
}
/** Null: not to be told from what a shed part has set aside. */
export type PassResult = Tally | MagnitudeSums | MergedPart | Formed | null;

/** `part` is a number that the pool gives. `load`, `shed` and `release` have no answer; a pass and `adapt`, which is of no part, have one, with its `id`. */
export type ToPoolWorker =
  | { readonly load: PartSpec; readonly part: number; readonly inputs: readonly (Uint8Array<ArrayBuffer> | null)[] }
  | { readonly release: true; readonly part: number }
  | { readonly shed: true; readonly part: number }
  | { readonly id: number; readonly part: number; readonly request: PassRequest; /** For the output of a merge. */ readonly into?: ArrayBuffer }
  | { readonly id: number; readonly adapt: AdaptRequest };
export type FromPoolWorker =
  | { readonly id: number; readonly ok: true; readonly result: PassResult }
  | { readonly id: number; readonly ok: false; readonly error: WireError }
  /** The inputs of a part that is released or shed. */
  | { readonly spare: readonly ArrayBuffer[] };

/** A worker as the pool sees it; the composition root makes them of whatever its environment has. */
export interface PoolWorker {
  post(message: ToPoolWorker, transfer: ArrayBuffer[]): void;
  /** Called once, before anything is posted. */
  listen(onMessage: (message: FromPoolWorker) => void, onDeath: (reason: string) => void): void;
  terminate(): void;
}
