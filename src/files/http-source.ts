/** Static files served beside the page: the sample family. The only place of the studio that fetches. */
import { SourceChangedError } from '../bytes/errors';
import { MemorySource } from '../bytes/source';

/**
 * A whole file in memory, from the page's own origin. Rejects with SourceChangedError: `other-origin`, `not-served` (`actual`:
 * the HTTP status, absent when there was no answer) or `changed` (both lengths, when `bytes` does not hold).
 */
export async function fetchSource(url: string, name: string, bytes: number): Promise<MemorySource> {
  const body = await fetchBytes(url, name);
  if (body.length !== bytes) {
    throw new SourceChangedError('changed', `${name}: ${body.length} bytes served, ${bytes} announced`, {
      file: name,
      expected: bytes,
      actual: body.length,
    });
  }
  return new MemorySource(name, body);
}

/** The bytes served under `url`; rejects as `fetchSource` does. */
export async function fetchBytes(url: string, name: string): Promise<Uint8Array<ArrayBuffer>> {
  const target = new URL(url, globalThis.location?.href);
  const origin = globalThis.location?.origin;
  if (origin !== undefined && target.origin !== origin) {
    throw new SourceChangedError('other-origin', `${name} would come from ${target.origin}`, { file: name, expected: origin, actual: target.origin });
  }
  let response: Response;
  try {
    response = await fetch(target, { credentials: 'omit', redirect: 'error' });
  } catch (error) {
    throw new SourceChangedError('not-served', `${name}: ${String(error)}`, { file: name });
  }
  if (!response.ok) {
    throw new SourceChangedError('not-served', `${name}: HTTP ${response.status}`, { file: name, actual: response.status });
  }
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    throw new SourceChangedError('not-served', `${name}: ${String(error)}`, { file: name });
  }
}
