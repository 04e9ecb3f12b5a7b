/** The compared snapshot's own answers to the views on the screen. */
import { describe, expect, it } from 'vitest';
import { CancelledError } from '../../../src/bytes/errors';
import { REST_MS } from '../../../src/state/compared-views';
import { opened, settle, studio, type Studio } from './fakes';

const effects = (one: Studio) => one.worker.of('effect');
const kept = (one: Studio) => one.store.getState().comparedViews;
const SLACK = { prefer: 0, of: 'retained', shares: [0, 0.04] } as const;

/** Snapshot 1 has lambda 0.5, the present recipe 1; the tab is shown and its own question answered. */
async function comparing(tab: 'effect' | 'slack' | 'layers' = 'effect'): Promise<Studio> {
  const one = studio();
  await opened(one, 'base', 'sft', 'ct-x-4M');
  one.controller.setRecipe({ lambda: 0.5 }, 'lambda');
  one.controller.keepSnapshot('half');
  one.controller.setRecipe({ lambda: 1 }, 'lambda');
  one.controller.setChart({ tab });
  one.controller.compareWith(1);
  return one;
}
async function answered(one: Studio): Promise<void> {
  one.clock.paint();
  effects(one).at(-1)!.resolve({ tensors: [] });
  await settle();
}
const lambdas = (one: Studio) => effects(one).map(({ payload }) => payload.recipe.lambda);

describe('the compared snapshot on a view', () => {
  it('is asked of after the present recipe has been answered, once, with its own recipe', async () => {
    const one = await comparing();
    one.controller.look('effect', {});
    one.clock.paint();
    one.clock.pass(REST_MS);
    expect(lambdas(one)).toEqual([1]);
    await answered(one);
    one.clock.pass(REST_MS);
    expect(lambdas(one)).toEqual([1, 0.5]);
    effects(one)[1]!.resolve({ tensors: [] });
    await settle();
    one.clock.pass(REST_MS);
    expect(kept(one).effect).toMatchObject({ snapshot: 1, reply: { tensors: [] }, problem: null });
    expect(lambdas(one)).toEqual([1, 0.5]);
  });

  it('is not asked of again when the present recipe changes, and is with a finer sample', async () => {
    const one = await comparing();
    one.controller.look('effect', {});
    await answered(one);
    one.clock.pass(REST_MS);
    effects(one)[1]!.resolve({ tensors: [] });
    await settle();
    one.controller.setRecipe({ lambda: 2 }, 'lambda');
    await answered(one);
    one.clock.pass(REST_MS);
    expect(lambdas(one)).toEqual([1, 0.5, 2]);
    one.worker.emit({ event: 'sample' });
    await answered(one);
    one.clock.pass(REST_MS);
    expect(lambdas(one)).toEqual([1, 0.5, 2, 2, 0.5]);
  });

  it('is asked of again when a question of the present recipe took its place', async () => {
    const one = await comparing();
    one.controller.look('effect', {});
    await answered(one);
    one.clock.pass(REST_MS);
    one.controller.setRecipe({ lambda: 2 }, 'lambda');
    one.clock.paint();
    effects(one)[1]!.reject(new CancelledError('a later request took its place'));
    await settle();
    one.clock.pass(REST_MS);
    expect(lambdas(one)).toEqual([1, 0.5, 2]);
    effects(one)[2]!.resolve({ tensors: [] });
    await settle();
    one.clock.pass(REST_MS);
    expect(lambdas(one)).toEqual([1, 0.5, 2, 0.5]);
  });

  it('says why it failed, and does not ask for ever', async () => {
    const one = await comparing();
    one.controller.look('effect', {});
    await answered(one);
    one.clock.pass(REST_MS);
    effects(one)[1]!.reject(new Error('broken'));
    await settle();
    one.clock.pass(REST_MS);
    expect(kept(one).effect).toMatchObject({ reply: null, problem: { code: 'internal' } });
    expect(effects(one)).toHaveLength(2);
  });

  it('is not asked of while nothing is compared, or its tab is not shown', async () => {
    for (const [tab, id] of [['effect', null], ['layers', 1]] as const) {
      const one = await comparing(tab);
      one.controller.compareWith(id);
      one.controller.look('effect', {});
      await answered(one);
      one.clock.pass(REST_MS);
      expect(lambdas(one)).toEqual([1]);
    }
  });

  it('of a slack curve is about its own preferred model, and is none where it elects no sign', async () => {
    const one = await comparing('slack');
    const asked = () => one.worker.of('slackCurve');
    one.controller.setRecipe({ slack: { s: 0.1, of: 'retained', prefer: 'id:ct-x-4M' } }, 'slack');
    one.controller.keepSnapshot('the other');
    one.controller.setMethod('linear');
    one.controller.keepSnapshot('average');
    one.controller.applySnapshot(1);
    one.controller.compareWith(2);
    one.controller.look('slackCurve', { slack: SLACK });
    one.clock.paint();
    asked()[0]!.resolve({ tensors: [] });
    await settle();
    one.clock.pass(REST_MS);
    expect(asked().map(({ payload }) => payload.slack)).toEqual([SLACK, { ...SLACK, prefer: 1 }]);
    asked()[1]!.resolve({ tensors: [] });
    await settle();
    one.controller.compareWith(3);
    one.clock.pass(REST_MS);
    expect(asked()).toHaveLength(2);
  });
});
