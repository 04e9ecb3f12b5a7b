/** Answers what the page asks beside the studio's requests. Loaded before the studio's worker, whose backends it watches. */
import { FileSource } from '../../src/files/file-source';
import type { Backend } from '../../src/merge/backend';
import { BACKENDS } from '../../src/worker/backends';
import { copyToStorage } from './copy';
import type { Answer, Ask } from './messages';

let watched: Backend | null = null;
const start = BACKENDS.webgpu.bind(BACKENDS);
BACKENDS.webgpu = async (allowSoftware) => {
  const started = await start(allowSoftware);
  watched = started.backend;
  return started;
};

/** Smaller reads are headers, and looks at whether a source is what it was. */
const LEAST_BYTES = 2 ** 16;
let reads = { count: 0, bytes: 0 };
/** Paths that the page gives to the inputs; the outputs have others. */
const INPUT = /^(?:base|sft|ct)\//;
const { read, readInto } = Object.getOwnPropertyDescriptors(FileSource.prototype);
const count = (name: string, bytes: number) => {
  if (INPUT.test(name) && bytes >= LEAST_BYTES) reads = { count: reads.count + 1, bytes: reads.bytes + bytes };
};
FileSource.prototype.read = function (this: FileSource, begin, end) {
  count(this.name, end - begin);
  return read.value!.call(this, begin, end);
};
FileSource.prototype.readInto = function (this: FileSource, begin, lengths, take) {
  count(
    this.name,
    lengths.reduce((sum, length) => sum + length, 0),
  );
  return readInto.value!.call(this, begin, lengths, take);
};

self.addEventListener('message', ({ data }: MessageEvent<Partial<Ask>>) => {
  if (data.ask === undefined) return;
  answer(data as Ask).then(
    (found) => self.postMessage(found),
    (error: unknown) => self.postMessage({ answer: 'failed', message: String(error) } satisfies Answer),
  );
});

async function answer(ask: Ask): Promise<Answer> {
  if (ask.ask === 'copy') return { answer: 'copy', copied: await copyToStorage(ask.models) };
  if (ask.ask === 'reads') {
    const own = reads;
    reads = { count: 0, bytes: 0 };
    return { answer: 'reads', reads: own };
  }
  const ledger = watched && 'ledger' in watched ? (watched.ledger as () => { readonly peakBytes: number })() : null;
  return { answer: 'ledger', peakBytes: ledger?.peakBytes ?? null };
}
