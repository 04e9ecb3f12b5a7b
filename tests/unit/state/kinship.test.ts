import { describe, expect, it } from 'vitest';
import { opened, settle, studio } from './fakes';

const KIN = { ids: ['id:base', 'id:sft'], norm2: [1, 1], distance2: [[0, 0.1], [0.1, 0]] };

describe('how far checkpoints are apart', () => {
  it('is asked for when there are two, and forgotten when one is left', async () => {
    const one = studio();
    await opened(one, 'base');
    expect(one.worker.of('kinship')).toHaveLength(0);
    await opened(one, 'sft');
    one.worker.last('kinship').resolve({ kin: [KIN] });
    await settle();
    expect(one.store.getState().kin).toEqual([KIN]);
    void one.controller.close('id:sft');
    one.worker.last('close').resolve(null);
    await settle();
    expect(one.store.getState().kin).toEqual([]);
  });

  it('an answer overtaken by another opening, or none at all, leaves no distances', async () => {
    const one = studio();
    await opened(one, 'base', 'sft');
    const first = one.worker.last('kinship');
    await opened(one, 'ct-x-4M');
    first.resolve({ kin: [KIN] });
    await settle();
    expect(one.store.getState().kin).toEqual([]);
    one.worker.last('kinship').reject(new Error('unreadable'));
    await settle();
    expect(one.store.getState().kin).toEqual([]);
  });
});
