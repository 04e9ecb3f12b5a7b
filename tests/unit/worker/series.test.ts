/** Figure 4 through the whole of state and worker: a folder of checkpoints dropped, the curve drawn, held to figures.json. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { breakDown } from '../../../src/analysis/aggregate';
import { placeOf } from '../../../src/checkpoint/places';
import { MODULE_KINDS } from '../../../src/checkpoint/types';
import type { Recipe } from '../../../src/recipe/types';
import { createController } from '../../../src/state/controller';
import type { ClockPort, FilePort, WorkerPort } from '../../../src/state/ports';
import { seriesPoints } from '../../../src/state/series';
import { createStudioStore } from '../../../src/state/store';
import type { PickedFile } from '../../../src/worker/protocol';
import { picked, startSession } from './family';

const FIXTURES = join(process.cwd(), 'tests', 'fixtures', 'checkpoints');
interface Counts {
  readonly numel: number;
  readonly kept: readonly number[];
  readonly nonzero: readonly number[];
  readonly conflict: number;
  readonly won: readonly number[];
  readonly discarded: readonly number[];
  readonly reserved: number;
}
const EXPECTED = JSON.parse(readFileSync(join(FIXTURES, 'figures.json'), 'utf8')) as Record<string, { total: Counts; per_tensor: Record<string, Counts>; discarded_share_sft: number }>;

function dropped(names: readonly string[]): PickedFile[] {
  return names.flatMap((name) =>
    readdirSync(join(FIXTURES, name)).map((file) => picked(`run/${name}/${file}`, Uint8Array.from(readFileSync(join(FIXTURES, name, file))))),
  );
}

/** The page without its components: the controller on a real session with the CPU reference, as fast as it goes. */
function studio() {
  const { request, events } = startSession();
  const worker: WorkerPort = { request, subscribe: () => {}, onDeath: () => {}, restart: () => {} };
  const files = { dropped: async (transfer: unknown) => transfer as readonly PickedFile[] } as unknown as FilePort;
  const clock: ClockPort = { now: () => performance.now(), frame: (run) => void setTimeout(run), later: (_, run) => ((timer) => () => clearTimeout(timer))(setTimeout(run)) };
  const store = createStudioStore();
  return { store, events, controller: createController(store, worker, files, clock) };
}

const countsOf = ({ numel, kept, nonzero, conflict, won, discarded, reserved }: Counts) => ({ numel, kept, nonzero, conflict, won, discarded, reserved });

describe('a folder of checkpoints of one run', () => {
  it('becomes the curve of figures.json, per tensor and in total, at any recipe', async () => {
    const { store, controller } = studio();
    await controller.startBackend('cpu');
    await controller.drop(dropped(['base', 'sft', 'ct-x-128k', 'ct-x-256k', 'ct-x-512k', 'ct-x-1M', 'ct-x-2M', 'ct-x-4M', 'ct-y-1M']));
    controller.setChart({ tab: 'series' });
    const curve = async () => {
      await expect.poll(() => seriesPoints(store.getState()).every(({ current }) => current), { timeout: 60_000 }).toBe(true);
      return seriesPoints(store.getState());
    };
    const held = (points: Awaited<ReturnType<typeof curve>>, heading: string) => {
      for (const { member, estimate } of points) {
        const { total, per_tensor, discarded_share_sft } = EXPECTED[`${heading}: sft + ${member.name}`]!;
        expect(estimate!.problem).toBeNull();
        expect(estimate!.tensors.every(({ exact }) => exact)).toBe(true);
        expect(Object.fromEntries(estimate!.tensors.map(({ tensor, figures }) => [tensor, countsOf(figures)]))).toEqual(per_tensor);
        const { figures } = breakDown(estimate!.tensors, placeOf, MODULE_KINDS, 2).total;
        expect(countsOf(figures)).toEqual(total);
        expect(figures.discarded[0]! / figures.kept[0]!).toBe(discarded_share_sft);
      }
    };

    // A fresh drop is Paper + slack 4 %: the curve draws itself, Tamil alone, by tokens.
    const fresh = await curve();
    expect(fresh.map(({ member }) => [member.name, member.tokens])).toEqual([
      ['ct-x-128k', 131_072], ['ct-x-256k', 262_144], ['ct-x-512k', 524_288], ['ct-x-1M', 1_048_576], ['ct-x-2M', 2_097_152], ['ct-x-4M', 4_194_304],
    ]);
    expect(fresh.filter(({ member }) => member.current).map(({ member }) => member.name)).toEqual(['ct-x-4M']);
    held(fresh, 'ties-sv 4% of retained');

    controller.applyPreset('paper');
    expect(seriesPoints(store.getState()).some(({ current }) => current)).toBe(false);
    held(await curve(), 'ties');

    // The other language is another run: one point, put beside by hand it is one more.
    const y = store.getState().checkpoints.open.find(({ name }) => name === 'ct-y-1M')!;
    controller.setInSeries(y.id, true);
    expect((await curve()).map(({ member }) => member.name)).toContain('ct-y-1M');
    held(await curve(), 'ties');

    const { recipe } = store.getState().decisions.present;
    const slack: Recipe['slack'] = { ...recipe.slack, s: 0.04, of: 'discarded' };
    controller.setRecipe({ method: 'ties_sv', slack }, 'slack');
    held(await curve(), 'ties-sv 4% of discarded');
  });
});
