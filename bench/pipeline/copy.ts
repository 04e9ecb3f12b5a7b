/**
 * The bar for speed: every input read and the output's bytes written through the studio's own files, with no arithmetic, in the
 * fastest way known: large reads into buffers that are used again, of a few MiB where nothing is written from them.
 */
import { BufferRing } from '../../src/bytes/buffer-ring';
import type { ByteSink, Destination } from '../../src/bytes/source';
import { FolderDestination } from '../../src/files/destination';
import { FileSource } from '../../src/files/file-source';
import { READ_BYTES, WRITE_BYTES } from '../../src/merge/io-sizes';
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

/** Bytes of a buffer of what is only read. */
const PART_BYTES = 4 * 2 ** 20;

async function copyFiles(files: readonly File[], destination: Destination): Promise<number> {
  let bytes = 0;
  for (const file of files) {
    const sink: ByteSink = await destination.create(file.name);
    // One read's pieces are on their way out while the next ones come in.
    let writing = Promise.resolve();
    for await (const { pieces, used } of readsOf(file, WRITE_BYTES)) {
      await writing;
      writing = Promise.all(pieces.map((piece) => sink.write(piece))).then(used);
      bytes += pieces.reduce((sum, { length }) => sum + length, 0);
    }
    await writing;
    await sink.close();
  }
  return bytes;
}

async function readFiles(files: readonly File[]): Promise<number> {
  let bytes = 0;
  for (const file of files) {
    for await (const { pieces, used } of readsOf(file, PART_BYTES)) {
      bytes += pieces.reduce((sum, { length }) => sum + length, 0);
      used();
    }
  }
  return bytes;
}

interface Read {
  readonly pieces: readonly Uint8Array<ArrayBuffer>[];
  /** Its buffers may be read into again. */
  used(): void;
}

/** The reads of a file, one ahead, in pieces of `each` bytes. */
async function* readsOf(file: File, each: number): AsyncGenerator<Read> {
  const ring = new BufferRing(3 * READ_BYTES);
  const source = new FileSource({ path: file.name, size: file.size, modified: file.lastModified }, file, null);
  const read = async (begin: number): Promise<Read> => {
    const end = Math.min(file.size, begin + READ_BYTES);
    const lengths = Array.from({ length: Math.ceil((end - begin) / each) }, (_, i) => Math.min(each, end - begin - i * each));
    const filled = await source.readInto(begin, lengths, (bytes) => ring.take(bytes));
    return { pieces: filled.map((buffer, i) => new Uint8Array(buffer, 0, lengths[i])), used: () => filled.forEach((buffer) => ring.give(buffer)) };
  };
  let next: Promise<Read> | null = file.size > 0 ? read(0) : null;
  for (let begin = READ_BYTES; next; begin += READ_BYTES) {
    const done: Read = await next;
    next = begin < file.size ? read(begin) : null;
    yield done;
  }
  ring.clear();
}
