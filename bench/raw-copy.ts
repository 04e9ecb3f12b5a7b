/**
 * The bar for speed: every input read and the output's bytes written with no arithmetic, through the sources and the destination that
 * a merge has, in the fastest way known: large reads into buffers that are used again, of a few MiB where nothing is written from them.
 */
import { BufferRing } from '../src/bytes/buffer-ring';
import type { ByteSink, ByteSource, Destination } from '../src/bytes/source';
import { READ_BYTES, WRITE_BYTES } from '../src/merge/io-sizes';

/** A file, by the plain name that its copy has. */
export interface Original {
  readonly name: string;
  readonly source: Required<ByteSource>;
}

export interface Copied {
  /** From the first read to the last file closed. */
  readonly seconds: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** The output is as large as the first model: its files are what is written. The models are read side by side. */
export async function rawCopy(models: readonly (readonly Original[])[], destination: Destination): Promise<Copied> {
  const began = performance.now();
  const bytesRead = await Promise.all(models.map((files, model) => (model === 0 ? copyFiles(files, destination) : readFiles(files))));
  const seconds = (performance.now() - began) / 1000;
  return { seconds, bytesRead: bytesRead.reduce((sum, bytes) => sum + bytes, 0), bytesWritten: bytesRead[0]! };
}

/** Bytes of a buffer of what is only read. */
const PART_BYTES = 4 * 2 ** 20;

async function copyFiles(files: readonly Original[], destination: Destination): Promise<number> {
  let bytes = 0;
  for (const { name, source } of files) {
    const sink: ByteSink = await destination.create(name);
    // One read's pieces are on their way out while the next ones come in.
    let writing = Promise.resolve();
    for await (const { pieces, used } of readsOf(source, WRITE_BYTES)) {
      await writing;
      writing = Promise.all(pieces.map((piece) => sink.write(piece))).then(used);
      bytes += pieces.reduce((sum, { length }) => sum + length, 0);
    }
    await writing;
    await sink.close();
  }
  return bytes;
}

async function readFiles(files: readonly Original[]): Promise<number> {
  let bytes = 0;
  for (const { source } of files) {
    for await (const { pieces, used } of readsOf(source, PART_BYTES)) {
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
async function* readsOf(source: Required<ByteSource>, each: number): AsyncGenerator<Read> {
  const ring = new BufferRing(3 * READ_BYTES);
  const read = async (begin: number): Promise<Read> => {
    const end = Math.min(source.size, begin + READ_BYTES);
    const lengths = Array.from({ length: Math.ceil((end - begin) / each) }, (_, i) => Math.min(each, end - begin - i * each));
    const filled = await source.readInto(begin, lengths, (bytes) => ring.take(bytes));
    return { pieces: filled.map((buffer, i) => new Uint8Array(buffer, 0, lengths[i])), used: () => filled.forEach((buffer) => ring.give(buffer)) };
  };
  let next: Promise<Read> | null = source.size > 0 ? read(0) : null;
  for (let begin = READ_BYTES; next; begin += READ_BYTES) {
    const done: Read = await next;
    next = begin < source.size ? read(begin) : null;
    yield done;
  }
  ring.clear();
}
