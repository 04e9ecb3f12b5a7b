/** The bar for speed: every input read and the output's bytes written through the studio's own files, with no arithmetic. */
import type { ByteSink, Destination } from '../../src/bytes/source';
import { FolderDestination } from '../../src/files/destination';
import { FileSource } from '../../src/files/file-source';
import { READ_BYTES } from '../../src/merge/io-sizes';
import type { Copied, ModelFiles } from './messages';

const FOLDER = 'raw-copy';

/** The output is as large as the first model: its files are what is written. The models are read side by side. */
export async function rawCopy(models: ModelFiles): Promise<Copied> {
  const root = await navigator.storage.getDirectory();
  // What a merge before this one left, which else would be there beside the copy.
  for await (const name of root.keys()) await root.removeEntry(name, { recursive: true });
  const destination = new FolderDestination(FOLDER, await root.getDirectoryHandle(FOLDER, { create: true }));
  const began = performance.now();
  const bytesRead = await Promise.all(models.map((files, model) => (model === 0 ? copyFiles(files, destination) : readFiles(files))));
  const seconds = (performance.now() - began) / 1000;
  await root.removeEntry(FOLDER, { recursive: true });
  return { seconds, bytesRead: bytesRead.reduce((sum, bytes) => sum + bytes, 0), bytesWritten: bytesRead[0]! };
}

async function copyFiles(files: readonly File[], destination: Destination): Promise<number> {
  let bytes = 0;
  for (const file of files) {
    const sink: ByteSink = await destination.create(file.name);
    // One piece is on its way out while the next comes in.
    let writing = Promise.resolve();
    for await (const piece of piecesOf(file)) {
      await writing;
      writing = sink.write(piece);
      bytes += piece.length;
    }
    await writing;
    await sink.close();
  }
  return bytes;
}

async function readFiles(files: readonly File[]): Promise<number> {
  let bytes = 0;
  for (const file of files) for await (const piece of piecesOf(file)) bytes += piece.length;
  return bytes;
}

/** The pieces of a file, one read ahead. */
async function* piecesOf(file: File): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const source = new FileSource({ path: file.name, size: file.size, modified: file.lastModified }, file, null);
  const read = (begin: number) => (begin < file.size ? source.read(begin, Math.min(file.size, begin + READ_BYTES)) : null);
  let next = read(0);
  for (let begin = READ_BYTES; next; begin += READ_BYTES) {
    const piece: Uint8Array<ArrayBuffer> = await next;
    next = read(begin);
    yield piece;
  }
}
