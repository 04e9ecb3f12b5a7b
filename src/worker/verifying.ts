/** The verify job: a merged checkpoint compared with what its recipe gives. */
import { InvalidRecipeError } from '../bytes/errors';
import { watchedOpening } from '../bytes/watched-source';
import type { Watchdog } from '../bytes/watchdog';
import { contentsOfAll } from '../compose/contents';
import { planMerge } from '../merge/plan';
import type { OpenShard } from '../merge/reading';
import { verifyPlan } from '../merge/verify';
import type { Control } from './dispatch';
import type { MergeProgress, Reply, RequestPayload } from './protocol';
import { resilient } from './resilient';
import { EVENT_MS, NO_SHARDS, type ScanContext } from './scanning';
import { MEMORY } from './sizing';
import { Throttle } from './throttle';

/** Rejects as `planMerge` and the backend do, and with InvalidRecipeError `checkpoint-not-open`. */
export async function verify(
  { recipe, choices, merged, contents = {} }: RequestPayload<'verify'>,
  { signal, ready }: Control,
  { catalogue, host, watchdog, emit }: Omit<ScanContext, 'counted'> & { readonly watchdog: Watchdog },
): Promise<Reply<'verify'>> {
  const checkpoint = catalogue.checkpoints.find(({ id }) => id === merged);
  if (!checkpoint) throw new InvalidRecipeError('checkpoint-not-open', `${merged} is not open`, { model: merged });
  const openShard: OpenShard = (id, shard) => catalogue.openShard(id, shard);
  const nameOf = (id: string) => catalogue.checkpoints.find((one) => one.id === id)?.name ?? id;
  const now = await contentsOfAll(catalogue.checkpoints.filter(({ id }) => Object.hasOwn(contents, id)), watchedOpening(openShard, nameOf, watchdog, signal));
  const otherSources = [...now].filter(([id, hash]) => hash !== contents[id]).map(([id]) => id);
  const planned = await host.use(async (backend) => backend);
  const plan = planMerge(catalogue.checkpoints, recipe, choices, { chunkBytes: planned.chunkBytes, shardBytes: NO_SHARDS }, {});
  const progress = new Throttle<MergeProgress>(EVENT_MS, (latest) => emit({ event: 'progress', progress: latest }), (_, next) => next);
  const started = performance.now();
  try {
    const verification = await verifyPlan(plan, checkpoint, resilient(host, planned), openShard, {
      readAheadBytes: MEMORY.readAhead,
      signal,
      ready,
      watchdog,
      onProgress: (latest) => progress.offer(latest),
    });
    return { verification, otherSources, backend: host.info ?? planned.info, seconds: (performance.now() - started) / 1000 };
  } finally {
    progress.flush();
  }
}
