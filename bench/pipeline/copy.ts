/** A raw copy from the files that were dropped into private storage. */
import { FolderDestination } from '../../src/files/destination';
import { FileSource } from '../../src/files/file-source';
import { type Copied, rawCopy } from '../raw-copy';
import type { ModelFiles } from './messages';

const FOLDER = 'raw-copy';

/** What it wrote is gone again when it resolves. */
export async function copyToStorage(models: ModelFiles): Promise<Copied> {
  const root = await navigator.storage.getDirectory();
  // What a merge before this one left, which else would be there beside the copy.
  for await (const name of root.keys()) await root.removeEntry(name, { recursive: true });
  const destination = new FolderDestination(FOLDER, await root.getDirectoryHandle(FOLDER, { create: true }));
  const originals = models.map((files) => files.map((file) => ({ name: file.name, source: new FileSource({ path: file.name, size: file.size, modified: file.lastModified }, file, null) })));
  const copied = await rawCopy(originals, destination);
  await root.removeEntry(FOLDER, { recursive: true });
  return copied;
}
