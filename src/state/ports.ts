/** What the controller needs from outside: the worker, the browser's files and its clock. Injected, so that tests bring their own. */
import type { StudioError } from '../bytes/errors';
import type { KeptCheckpoint, KeptRoot, PickedFile, PickedFolder, Reply, RequestName, RequestPayload, WorkerEvent } from '../worker/protocol';

export interface WorkerPort {
  /** Rejects with a StudioError; every pending request rejects when the worker dies. */
  request<N extends RequestName>(name: N, payload: RequestPayload<N>): Promise<Reply<N>>;
  subscribe(listener: (event: WorkerEvent) => void): void;
  /** Calls `listener` when the worker dies of itself. */
  onDeath(listener: (error: StudioError) => void): void;
  /** Starts another worker in the place of whatever there is; it knows nothing of what was open. */
  restart(): void;
}

/** Drops, pickers and downloads. Handles stay opaque: the controller passes them on and never keeps one in the store. */
export interface FilePort {
  /** Files of a drop, folders walked. Must be called while the drop event is being handled. `transfer` is its DataTransfer. */
  dropped(transfer: unknown): Promise<readonly PickedFile[]>;
  /** Empty when the user closes the picker. */
  chooseFiles(): Promise<readonly PickedFile[]>;
  chooseFolder(): Promise<readonly PickedFile[]>;
  /** Null when the user closes the picker. Rejects with a DestinationError. */
  chooseDestination(): Promise<PickedFolder | null>;
  /** Starts a download of an exported file. */
  save(name: string, handle: unknown): void;
  /** What was open, for the next page: see files/kept-handles.ts. */
  readonly kept: {
    list(): Promise<readonly KeptRoot[]>;
    keep(root: unknown, checkpoints: readonly KeptCheckpoint[]): Promise<readonly KeptRoot[]>;
    forget(checkpoint: string): Promise<readonly KeptRoot[]>;
    forgetRoot(key: number): Promise<readonly KeptRoot[]>;
    pick(key: number): Promise<readonly PickedFile[]>;
  };
  /** Where the sample family is served. */
  readonly sampleUrl: string;
}

export interface ClockPort {
  /** Milliseconds. */
  now(): number;
  /** Runs before the next repaint, soon where nothing repaints (a hidden tab). */
  frame(run: () => void): void;
  /** Runs after `milliseconds`. Returns what calls it off. */
  later(milliseconds: number, run: () => void): () => void;
}
