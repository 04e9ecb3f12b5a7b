/** Answers what the page asks beside the studio's requests. Loaded before the studio's worker, whose backends it watches. */
import type { Backend } from '../../src/merge/backend';
import { BACKENDS } from '../../src/worker/backends';
import { rawCopy } from './copy';
import type { Answer, Ask } from './messages';

let watched: Backend | null = null;
const start = BACKENDS.webgpu.bind(BACKENDS);
BACKENDS.webgpu = async (allowSoftware) => {
  const started = await start(allowSoftware);
  watched = started.backend;
  return started;
};

self.addEventListener('message', ({ data }: MessageEvent<Partial<Ask>>) => {
  if (data.ask === undefined) return;
  answer(data as Ask).then(
    (found) => self.postMessage(found),
    (error: unknown) => self.postMessage({ answer: 'failed', message: String(error) } satisfies Answer),
  );
});

async function answer(ask: Ask): Promise<Answer> {
  if (ask.ask === 'copy') return { answer: 'copy', copied: await rawCopy(ask.models) };
  const ledger = watched && 'ledger' in watched ? (watched.ledger as () => { readonly peakBytes: number })() : null;
  return { answer: 'ledger', peakBytes: ledger?.peakBytes ?? null };
}
