/** What the storage's exceptions mean: one place that reads DOMException names (faults.md, facts and part B). */
import { DestinationError, DiskFullError, OutOfMemoryError, SourceChangedError, StudioError, asStudioError } from '../bytes/errors';

/** Name of a DOMException or of an error that carries the same names. */
export function faultName(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

/** Why a source file could not be read. `reason`: `vanished`, `changed`, `permission`, `unreadable`. */
export function sourceFault(error: unknown, file: string): StudioError {
  if (error instanceof StudioError) return error;
  switch (faultName(error)) {
    case 'NotFoundError':
      return new SourceChangedError('vanished', `${file} is no longer there`, { file });
    case 'NotAllowedError':
    case 'SecurityError':
      return new SourceChangedError('permission', `permission to read ${file} was withdrawn`, { file });
    case 'NotReadableError':
      return new SourceChangedError('changed', `${file} changed after it was opened`, { file });
    case 'RangeError':
      return new OutOfMemoryError('host-memory', `no memory for bytes of ${file}`, { file });
    default:
      return asStudioError(error);
  }
}

/**
 * Why a destination could not be used. DiskFullError, or a DestinationError with `reason`: `permission`, `removed`, `locked`,
 * `bad-name`, `unusable`.
 */
export function destinationFault(error: unknown, folder: string, name?: string): StudioError {
  if (error instanceof StudioError) return error;
  const file = name === undefined ? folder : `${folder}/${name}`;
  const fault = (reason: string, message: string) => new DestinationError(reason, `${file}: ${message}`, { file });
  switch (faultName(error)) {
    case 'QuotaExceededError':
      return new DiskFullError(`${file}: no room left`, { file });
    case 'NotAllowedError':
    case 'SecurityError':
      return fault('permission', 'permission to write was withdrawn');
    case 'NotFoundError':
      return fault('removed', 'the folder or file was removed');
    case 'NoModificationAllowedError':
      return fault('locked', 'another tab or program is writing it');
    case 'TypeMismatchError':
      return fault('bad-name', 'a folder has this name, or a file where a folder should be');
    case 'InvalidStateError':
    case 'InvalidModificationError':
    case 'AbortError':
      return fault('unusable', error instanceof Error ? error.message : 'the browser gave up writing');
    default:
      return asStudioError(error);
  }
}
