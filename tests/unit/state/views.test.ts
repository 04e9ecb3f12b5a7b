import { describe, expect, it } from 'vitest';
import { CancelledError } from '../../../src/bytes/errors';
import type { SlotSurface, SurfaceRequest } from '../../../src/merge/exploring';
import { emptySurface } from '../../../src/merge/sweeps';
import { OVERTAKE_MS } from '../../../src/state/latest';
import type { TensorView } from '../../../src/worker/protocol';
import { LIVE_MS, REST_MS } from '../../../src/state/views';
import { opened, SAMPLE, settle, studio, type Studio } from './fakes';

const REQUEST: SurfaceRequest = { x: 0, y: 1, densitiesX: [0.2, 1], densitiesY: [0.2, 1] };
const surfaceOf = (tensor: string): TensorView<SlotSurface> => ({ tensor, elements: 10, exact: true, view: emptySurface(2, 2) });
const shown = (one: Studio) => one.store.getState().views.surface;

async function looking(): Promise<Studio> {
  const one = studio();
  await opened(one, 'base', 'sft', 'ct-x-4M');
  one.controller.look('surface', { surface: REQUEST });
  one.clock.paint();
  return one;
}
async function answered(): Promise<Studio> {
  const one = await looking();
  one.worker.last('surface').resolve({ tensors: [surfaceOf('a')] });
  await settle();
  return one;
}

describe('a view of the sample', () => {
  it('is asked while it is shown, with the recipe and its own question', async () => {
    const one = await looking();
    const { recipe, choices } = one.store.getState().decisions.present;
    expect(one.worker.of('surface')).toHaveLength(1);
    expect(one.worker.last('surface').payload).toEqual({ recipe, choices, surface: REQUEST });
    expect(one.worker.of('effect')).toHaveLength(0);
    expect(shown(one)).toEqual({ loading: true, problem: null, answer: null });
    one.worker.last('surface').resolve({ tensors: [surfaceOf('a')] });
    await settle();
    expect(shown(one)).toEqual({ loading: false, problem: null, answer: { question: { surface: REQUEST }, reply: { tensors: [surfaceOf('a')] } } });
  });

  it('is not asked again for what it does not depend on: densities on the axes, lambda, slack, dtype', async () => {
    const one = await answered();
    one.controller.setModel(0, { density: 0.7 }, 'density 0');
    one.controller.setModel(1, { density: 0.3 }, 'density 1');
    one.controller.setRecipe({ lambda: 0.5, outDtype: 'F32' }, 'lambda');
    one.clock.paint();
    expect(one.worker.of('surface')).toHaveLength(1);
    expect(shown(one).loading).toBe(false);
    one.controller.setModel(1, { weight: 2 }, 'weight 1');
    one.clock.paint();
    expect(one.worker.of('surface')).toHaveLength(2);
  });

  it('asks an effect again when lambda changes', async () => {
    const one = await answered();
    one.controller.look('effect', {});
    one.clock.paint();
    one.worker.last('effect').resolve({ tensors: [] });
    await settle();
    one.controller.setRecipe({ lambda: 0.5 }, 'lambda');
    one.clock.paint();
    expect(one.worker.of('effect')).toHaveLength(2);
  });

  it('asks again when a finer sample is there', async () => {
    const one = await answered();
    one.worker.emit({ event: 'sample' });
    one.clock.paint();
    expect(one.worker.of('surface')).toHaveLength(2);
  });

  it('is not asked once looked away from, and shows its answer at once when looked at again', async () => {
    const one = await answered();
    one.controller.lookAway('surface');
    one.controller.setModel(1, { weight: 2 }, 'weight 1');
    one.clock.paint();
    expect(one.worker.of('surface')).toHaveLength(1);
    one.controller.undo();
    one.controller.look('surface', { surface: REQUEST });
    one.clock.paint();
    expect(one.worker.of('surface')).toHaveLength(1);
    expect(shown(one).answer?.reply.tensors).toEqual([surfaceOf('a')]);
  });

  it('lets the latest question win: what an older one brings is not shown', async () => {
    const one = await looking();
    const first = one.worker.last('surface');
    one.controller.setModel(1, { weight: 2 }, 'weight 1');
    one.clock.pass(OVERTAKE_MS);
    expect(one.worker.of('surface')).toHaveLength(2);
    first.reject(new CancelledError('a later request took its place'));
    await settle();
    expect(shown(one)).toEqual({ loading: true, problem: null, answer: null });
    one.worker.last('surface').resolve({ tensors: [surfaceOf('b')] });
    await settle();
    expect(shown(one).answer?.reply.tensors).toEqual([surfaceOf('b')]);
  });

  it('asks once more when the recipe went and came back while an answer was out', async () => {
    const one = await answered();
    one.controller.setModel(1, { weight: 2 }, 'weight 1');
    one.clock.paint();
    one.controller.undo();
    one.worker.last('surface').resolve({ tensors: [surfaceOf('b')] });
    await settle();
    one.clock.paint();
    expect(one.worker.of('surface')).toHaveLength(3);
    one.worker.last('surface').resolve({ tensors: [surfaceOf('a')] });
    await settle();
    expect(shown(one)).toMatchObject({ loading: false, answer: { reply: { tensors: [{ tensor: 'a' }] } } });
  });

  it('waits for the figures and for rest when it takes longer than a step of a slider allows', async () => {
    const one = await looking();
    one.clock.pass(LIVE_MS + 1);
    one.worker.last('surface').resolve({ tensors: [surfaceOf('a')] });
    await settle();
    for (const weight of [1.1, 1.2, 1.3]) {
      one.controller.setModel(1, { weight }, 'weight 1');
      one.clock.paint();
      one.clock.pass(REST_MS - 1);
    }
    expect(one.worker.of('surface')).toHaveLength(1);
    expect(shown(one)).toMatchObject({ loading: true, answer: { reply: { tensors: [{ tensor: 'a' }] } } });
    // At rest, but the figures of this recipe are still out.
    one.clock.pass(1);
    one.clock.paint();
    expect(one.worker.of('surface')).toHaveLength(1);
    one.worker.last('explore').resolve({ tensors: [], milliseconds: 1, sample: SAMPLE });
    await settle();
    one.clock.pass(REST_MS);
    one.clock.paint();
    expect(one.worker.of('surface')).toHaveLength(2);
    expect(one.worker.last('surface').payload.recipe.models[1]!.weight).toBe(1.3);
    // Quick this time: from now on it goes with every step again.
    one.worker.last('surface').resolve({ tensors: [surfaceOf('b')] });
    await settle();
    one.controller.setModel(1, { weight: 1.4 }, 'weight 1');
    one.clock.paint();
    expect(one.worker.of('surface')).toHaveLength(3);
  });

  it('tells why it failed, and forgets that with the next answer', async () => {
    const one = await looking();
    one.worker.last('surface').reject(new RangeError('no surface'));
    await settle();
    expect([shown(one).problem?.code, shown(one).loading]).toEqual(['internal', false]);
    one.worker.emit({ event: 'sample' });
    one.clock.paint();
    one.worker.last('surface').resolve({ tensors: [] });
    await settle();
    expect(shown(one).problem).toBeNull();
  });

  it('waits for a job to end', async () => {
    const one = studio();
    await opened(one, 'base', 'sft', 'ct-x-4M');
    void one.controller.scan();
    one.controller.look('surface', { surface: REQUEST });
    one.clock.paint();
    expect(one.worker.of('surface')).toHaveLength(0);
    one.worker.last('scan').resolve({ tensors: [], seconds: 1 });
    await settle();
    one.clock.paint();
    expect(one.worker.of('surface')).toHaveLength(1);
  });
});

describe('hover', () => {
  it('is state of its own: no step of undo, not in the address, and the same place is the same object', async () => {
    const one = studio();
    await opened(one, 'base', 'sft', 'ct-x-4M');
    const address = one.controller.address();
    one.controller.setHover({ layer: 3, module: null, tensor: null });
    const { hover, decisions } = one.store.getState();
    expect(hover).toEqual({ layer: 3, module: null, tensor: null });
    expect([decisions.past.length, one.controller.address()]).toEqual([0, address]);
    one.controller.setHover({ layer: 3, module: null, tensor: null });
    expect(one.store.getState().hover).toBe(hover);
    one.controller.setHover(null);
    expect(one.store.getState().hover).toBeNull();
  });
});
