/**
 * The studio's errors: one class per decision a caller can make.
 *
 * Every error carries data, not prose for the user: `reason` is a slug that the catalogue in `ui/` turns into a
 * sentence that says what to do, and `where` names the file and tensor concerned and both numbers of a mismatch.
 * `message` is for developers and logs. Errors cross a worker boundary as `WireError` and come back as themselves.
 */

/** The decision a caller can take: what kind of thing went wrong. */
export type ErrorCode =
  | 'malformed-file'
  | 'incompatible-checkpoints'
  | 'invalid-recipe'
  | 'gpu-unavailable'
  | 'device-lost'
  | 'out-of-memory'
  | 'source-changed'
  | 'destination'
  | 'disk-full'
  | 'cancelled'
  | 'internal';

/** What the error concerns. Numbers are bytes unless the reason says otherwise. */
export interface ErrorWhere {
  /** File as the user knows it: path relative to what was dropped. */
  readonly file?: string;
  readonly tensor?: string;
  /** Checkpoint or model by its display name. */
  readonly model?: string;
  /** The two sides of a mismatch, as shown to the user. */
  readonly expected?: string | number;
  readonly actual?: string | number;
  /** Flat index of a value in the tensor. */
  readonly index?: number;
  /** Bytes from the start of the file. */
  readonly offset?: number;
  /** 1-based line, for text formats. */
  readonly line?: number;
  /** Names concerned, when there are several (missing shards, tensors with non-finite values). */
  readonly names?: readonly string[];
}

export interface WireError {
  readonly code: ErrorCode;
  readonly reason: string;
  readonly message: string;
  readonly where: ErrorWhere;
}

export class StudioError extends Error {
  constructor(
    readonly code: ErrorCode,
    readonly reason: string,
    message: string,
    readonly where: ErrorWhere = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = new.target.name;
  }

  toWire(): WireError {
    return { code: this.code, reason: this.reason, message: this.message, where: this.where };
  }
}

/** A file whose bytes are not what its format requires. Refused before any tensor byte is read. */
export class MalformedFileError extends StudioError {
  constructor(reason: string, message: string, where: ErrorWhere & { readonly file: string }) {
    super('malformed-file', reason, message, where);
  }
}

/** Checkpoints that cannot be merged with each other as the recipe stands. */
export class IncompatibleCheckpointsError extends StudioError {
  constructor(reason: string, message: string, where: ErrorWhere = {}) {
    super('incompatible-checkpoints', reason, message, where);
  }
}

/** A recipe that has no meaning: sum of weights 0, density outside (0, 1], unknown method. */
export class InvalidRecipeError extends StudioError {
  constructor(reason: string, message: string, where: ErrorWhere = {}) {
    super('invalid-recipe', reason, message, where);
  }
}

/** No usable WebGPU device: `reason` is one of the causes of `GpuUnavailableReason`. */
export class GpuUnavailableError extends StudioError {
  constructor(reason: GpuUnavailableReason, message: string, where: ErrorWhere = {}) {
    super('gpu-unavailable', reason, message, where);
  }
}
export type GpuUnavailableReason = 'insecure-page' | 'no-webgpu' | 'no-adapter' | 'software-adapter' | 'no-device' | 'limits-too-small' | 'self-test-failed';

/** The device is gone, or cannot be relied on any more. `reason`: `refused`, `unresponsive`, or the browser's own. */
export class DeviceLostError extends StudioError {
  constructor(reason: string, message: string, where: ErrorWhere = {}) {
    super('device-lost', reason, message, where);
  }
}

export class OutOfMemoryError extends StudioError {
  constructor(reason: string, message: string, where: ErrorWhere = {}) {
    super('out-of-memory', reason, message, where);
  }
}

/** A source file changed, shrank or vanished after it was opened. */
export class SourceChangedError extends StudioError {
  constructor(reason: string, message: string, where: ErrorWhere & { readonly file: string }) {
    super('source-changed', reason, message, where);
  }
}

/** The destination cannot be written: it is a source, is not empty, was removed, or permission was withdrawn. */
export class DestinationError extends StudioError {
  constructor(reason: string, message: string, where: ErrorWhere = {}) {
    super('destination', reason, message, where);
  }
}

export class DiskFullError extends StudioError {
  constructor(message: string, where: ErrorWhere = {}) {
    super('disk-full', 'disk-full', message, where);
  }
}

export class CancelledError extends StudioError {
  constructor(message = 'cancelled') {
    super('cancelled', 'cancelled', message);
  }
}

/** What engines say when there is no memory for an array; a RangeError for other causes is a defect of the studio. */
const NO_MEMORY = /^(array buffer allocation|invalid (typed )?array|(array )?length too large|out of memory|invalid or out-of-range|webassembly\.\w+\(\): (could not allocate|out of) memory)/i;

/** Any error as a StudioError: itself, OutOfMemoryError `host-memory` where an array could not be had, or wrapped as `internal` with its cause kept. */
export function asStudioError(error: unknown): StudioError {
  if (error instanceof StudioError) return error;
  if (error instanceof RangeError && NO_MEMORY.test(error.message)) return new OutOfMemoryError('host-memory', error.message);
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new StudioError('internal', 'unexpected', message, {}, { cause: error });
}

/** The error a worker sent, as an instance again. The class is not restored; callers branch on `code`. */
export function fromWire(wire: WireError): StudioError {
  return new StudioError(wire.code, wire.reason, wire.message, wire.where);
}
