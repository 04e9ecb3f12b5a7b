/**
 * A family merged from files to files without a browser, beside a raw copy of the same bytes, in turns: through the disk and the
 * backends of the command line. Writes the runs as JSON.
 */
import { rm, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { chooseBackend } from '../src/cli/backends';
import { DiskDestination, DiskSource, HASHING_NATIVELY } from '../src/cli/disk';
import { openFolder } from '../src/cli/models';
import type { FileEntry } from '../src/checkpoint/types';
import { contentsOfAll } from '../src/compose/contents';
import { undertakingOf } from '../src/compose/undertaking';
import type { WebGpuBackend } from '../src/engine/backend';
import type { Backend } from '../src/merge/backend';
import { limitsOf } from '../src/merge/budget';
import { READ_AHEAD_BYTES } from '../src/merge/io-sizes';
import { planMerge } from '../src/merge/plan';
import { DEFAULT_CHOICES } from '../src/merge/plan-types';
import type { RunProgress } from '../src/merge/progress';
import { runMerge } from '../src/merge/run';
import { recomputeSpots } from '../src/reference/spots';
import { dropCaches } from './cache.mjs';
import { rawCopy } from './raw-copy';
import { measuredRecipe, MEASURED_SHARD_BYTES } from './recipe';

interface Ask {
  readonly family: string;
  readonly choice: 'cpu' | 'webgpu';
  /** Files of base, sft and ct. */
  readonly paths: Readonly<Record<'base' | 'sft' | 'ct', readonly string[]>>;
  readonly kinds: readonly ('cold' | 'warm' | 'large')[];
  /** Made, and removed after each run. */
  readonly folder: string;
  readonly output: string;
}

const SAMPLE_MS = 250;
const ask = JSON.parse(process.argv[2]!) as Ask;

const paths = new Map<string, string>();
const openFile = async (entry: FileEntry) => new DiskSource(entry, paths.get(entry.id)!);
const folders = [ask.paths.base, ask.paths.sft, ask.paths.ct].map(([first]) => dirname(first!));
const [base, sft, ct] = await Promise.all(folders.map((folder) => openFolder(folder, basename(folder), paths, openFile)));
const checkpoints = [base!, sft!, ct!];
const { backend } = await chooseBackend(ask.choice, READ_AHEAD_BYTES);
const recipe = measuredRecipe(base!.id, sft!.id, ct!.id);
const contents = await contentsOfAll(checkpoints, (id, shard) => openFile(checkpoints.find((one) => one.id === id)!.shards[shard]!.file));
const { metadata, journal } = undertakingOf({ application: 'bench', recipe, choices: DEFAULT_CHOICES, text: null, shardBytes: MEASURED_SHARD_BYTES, checkpoints, contents }, null);
const plan = planMerge(checkpoints, recipe, DEFAULT_CHOICES, { ...limitsOf(backend), shardBytes: MEASURED_SHARD_BYTES, readAheadBytes: READ_AHEAD_BYTES }, metadata);

const residentBefore = process.memoryUsage.rss();
const ACTS = { copy, merge } as const;
const runs = [];
for (const kind of ask.kinds) {
  for (const what of ['copy', 'merge'] as const) {
    const isCold = kind !== 'warm' && dropCaches();
    const { residentBytes, ...measured } = await watched(ACTS[what]);
    const run = { family: ask.family, choice: ask.choice, backend: backend.info.label, what, cache: kind === 'cold' && !isCold ? 'warm' : kind, ...measured, residentBytes, ledgerBytes: what === 'merge' ? ledgerOf(backend) : null };
    process.stdout.write(`  ${what}, ${run.cache}: ${run.seconds.toFixed(2)} s\n`);
    runs.push(run);
    await rm(ask.folder, { recursive: true, force: true });
  }
}
await writeFile(ask.output, JSON.stringify(runs));
// Dawn keeps the process alive.
process.exit(0);

async function copy() {
  const models = await Promise.all(checkpoints.map(({ shards }) => Promise.all(shards.map(async ({ file }) => ({ name: basename(file.path), source: await openFile(file) })))));
  return rawCopy(models, await DiskDestination.make(ask.folder, paths.values()));
}

/** As the command line does it. */
async function merge() {
  let last: RunProgress | null = null;
  const result = await runMerge(plan, backend, async (id, shard) => openFile(checkpoints.find((one) => one.id === id)!.shards[shard]!.file), await DiskDestination.make(ask.folder, paths.values()), {
    journal,
    // The first that tells of verification tells when everything was final.
    onProgress: (progress) => {
      if (last?.phase !== 'verifying') last = progress;
    },
    readAheadBytes: READ_AHEAD_BYTES,
    hashing: HASHING_NATIVELY,
    recompute: recomputeSpots,
  });
  const { elapsedMs, readingMs, computingMs, writingMs, bytesRead, bytesWritten } = last!;
  return {
    seconds: elapsedMs / 1000,
    verifiedSeconds: result.seconds,
    readingSeconds: readingMs / 1000,
    computingSeconds: computingMs / 1000,
    writingSeconds: writingMs / 1000,
    parameters: plan.parameters,
    plannedPeakBytes: plan.peakBytes,
    bytesRead,
    bytesWritten,
    verified: result.verified,
    tensors: result.tensors,
  };
}

/** With the most that this process had resident above what it had before the first run. */
async function watched<T>(act: () => Promise<T>): Promise<T & { residentBytes: number }> {
  let most = 0;
  const look = () => (most = Math.max(most, process.memoryUsage.rss() - residentBefore));
  const timer = setInterval(look, SAMPLE_MS);
  try {
    const result = await act();
    look();
    return { ...result, residentBytes: most };
  } finally {
    clearInterval(timer);
  }
}

function ledgerOf(made: Backend): number | null {
  return 'ledger' in made ? (made as WebGpuBackend).ledger().peakBytes : null;
}
