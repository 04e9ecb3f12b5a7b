/** The sample family: a manifest served with the page names its checkpoints and files, which are small enough for memory. */
import { MalformedFileError } from '../bytes/errors';
import type { ByteSource } from '../bytes/source';
import { fetchBytes, fetchSource } from './http-source';

const MANIFEST = 'manifest.json';
/** Files fetched at a time. */
const AT_ONCE = 6;

export interface SampleFile {
  /** `<checkpoint>/<file>`, as if the family had been dropped as folders. */
  readonly path: string;
  readonly source: ByteSource;
}

/**
 * Fetches the whole family served under `baseUrl`, the folder of its manifest (ending in `/`). Rejects with SourceChangedError `not-served` and the like
 * (see `fetchSource`), or with MalformedFileError `manifest-malformed`.
 */
export async function fetchSample(baseUrl: string): Promise<SampleFile[]> {
  const files = readManifest(await fetchBytes(`${baseUrl}${MANIFEST}`, MANIFEST));
  const found = new Array<SampleFile>(files.length);
  const queue = files.entries();
  const worker = async () => {
    for (const [i, { path, bytes }] of queue) {
      const url = `${baseUrl}${path.split('/').map(encodeURIComponent).join('/')}`;
      found[i] = { path, source: await fetchSource(url, path, bytes) };
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return found;
}

interface ManifestFile {
  readonly path: string;
  readonly bytes: number;
}

/** Every file of every checkpoint: `{checkpoints: [{name, files: [{path, bytes}]}]}`, paths relative to the manifest. */
function readManifest(bytes: Uint8Array): ManifestFile[] {
  let manifest: unknown;
  try {
    manifest = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw malformed(String(error));
  }
  return listOf(manifest, 'checkpoints').flatMap((checkpoint) =>
    listOf(checkpoint, 'files').map((file) => {
      const { path, bytes: size } = file as { path?: unknown; bytes?: unknown };
      if (typeof path !== 'string' || path.split('/').some((part) => ['', '.', '..'].includes(part))) throw malformed(`path ${String(path)}`);
      if (!Number.isSafeInteger(size) || (size as number) < 0) throw malformed(`bytes of ${path}: ${String(size)}`);
      return { path, bytes: size as number };
    }),
  );
}

function listOf(value: unknown, field: string): readonly object[] {
  const list: unknown = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[field] : null;
  if (Array.isArray(list) && list.every((item) => typeof item === 'object' && item !== null)) return list as object[];
  throw malformed(`no list of ${field}`);
}

const malformed = (message: string) => new MalformedFileError('manifest-malformed', `${MANIFEST}: ${message}`, { file: MANIFEST });
