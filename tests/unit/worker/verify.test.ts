/** An export dropped back: its recipe is read from its metadata, and its bytes are what the recipe gives. */
import { describe, expect, it } from 'vitest';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import { matchSources, readProvenance } from '../../../src/recipe/provenance';
import type { Recipe } from '../../../src/recipe/types';
import { renamed } from '../../../src/state/address';
import { readChoices } from '../../../src/state/choices';
import { familyFiles, NORM, openFamily, picked } from './family';

async function exported(damage: (weights: Uint8Array<ArrayBuffer>) => void = () => {}) {
  const session = await openFamily();
  await session.merge();
  const weights = session.out.files.get('model.safetensors')!.bytes;
  damage(weights);
  const { checkpoints } = await session.request('open', { files: [picked('merged/model.safetensors', weights)] });
  return { ...session, sources: session.checkpoints, merged: checkpoints[0]! };
}

describe('a merged checkpoint dropped back', () => {
  it('holds the recipe, the choices and the sources it was made of, and is what they give', async () => {
    const { request, merged, recipe, sources, events } = await exported();
    const provenance = readProvenance(merged.shards[0]!.metadata)!;
    expect([provenance.recipe, readChoices(provenance.choices)]).toEqual([recipe, DEFAULT_CHOICES]);
    expect([...matchSources(provenance.sources, sources).values()].sort()).toEqual(sources.map(({ id }) => id).sort());
    const report = await request('verify', { recipe, choices: DEFAULT_CHOICES, merged: merged.id });
    expect(report.verification).toEqual({ tensors: 3, same: 3, values: 12, differing: 0, differences: [], missing: [], foreign: [], reshaped: [] });
    expect([report.backend.kind, report.otherSources]).toEqual(['cpu', []]);
    const progress = events.flatMap((event) => (event.event === 'progress' ? [event.progress] : []));
    expect(progress.at(-1)).toMatchObject({ tensorsDone: 3, tensors: 3 });
  });

  it.each([
    ['a draw by its seed', { method: 'dare_ties', rescale: true, normalize: false, drop: { seed: 7, rescaleBy: 'density' } }, { drop: { seed: 8, rescaleBy: 'density' } }],
    ['a ranking over the whole model', { method: 'ties_sv', slack: 0.5, scope: { trim: 'model', slack: 'model' } }, { scope: { trim: 'tensor', slack: 'tensor' } }],
  ] as const)('is what %s gives in another session, where checkpoints have other ids, and not what another one gives', async (_, made, changed) => {
    const then = await openFamily();
    const { slack, ...more } = { slack: 0, ...made };
    // A fifth: one value of either tensor, or the two largest of both.
    const models = then.recipe.models.map((model) => ({ ...model, density: 0.2 }));
    await then.merge(false, { ...more, models, slack: { s: slack, of: 'retained', prefer: then.idOf('sft') } });
    const weights = then.out.files.get('model.safetensors')!.bytes;
    const now = await openFamily({}, [...familyFiles(), picked('merged/model.safetensors', weights)]);
    const [merged] = now.checkpoints.filter(({ name }) => name === 'merged');
    const provenance = readProvenance(merged!.shards[0]!.metadata)!;
    const ids = matchSources(provenance.sources, now.checkpoints);
    expect([...ids].every(([before, after]) => before !== after)).toBe(true);
    const recipe = renamed(provenance.recipe, (id) => ids.get(id)!);
    const ask = async (patch: Partial<Recipe>) => (await now.request('verify', { recipe: { ...recipe, ...patch }, choices: DEFAULT_CHOICES, merged: merged!.id })).verification;
    expect(await ask({})).toMatchObject({ tensors: 3, same: 3, differing: 0 });
    expect((await ask(changed)).differing).toBeGreaterThan(0);
  });

  it('is not what they give when a value was changed', async () => {
    const { request, merged, recipe } = await exported((weights) => weights.set([weights.at(-1)! ^ 0x80], weights.length - 1));
    const { verification } = await request('verify', { recipe, choices: DEFAULT_CHOICES, merged: merged.id });
    expect(verification).toMatchObject({ same: 2, differing: 1 });
    // In the order of the file, by name, the norm comes last; its sign has turned.
    expect(verification.differences).toMatchObject([{ tensor: NORM, values: 2, first: { index: 1 } }]);
  });

  it('tells which source is not the one it was made from', async () => {
    const { request, recipe, merged, idOf } = await exported();
    const { sources } = readProvenance(merged.shards[0]!.metadata)!;
    expect(new Set(sources.map(({ contents }) => contents)).size).toBe(3);
    const contents = { ...Object.fromEntries(sources.map((source) => [source.id, source.contents!])), [idOf('ct')]: sources[0]!.contents! };
    expect((await request('verify', { recipe, choices: DEFAULT_CHOICES, merged: merged.id, contents })).otherSources).toEqual([idOf('ct')]);
  });

  it('was computed again by another backend, where that was asked for', async () => {
    const { request, recipe } = await openFamily();
    const summary = await request('merge', { recipe, choices: DEFAULT_CHOICES, shardBytes: 2 ** 30, destination: null, replace: true, recheck: true });
    expect(summary.rechecked).toMatchObject({ values: 12, differing: 0 });
    expect(summary.rechecked!.by).not.toBe(summary.backend.label);
  });

  it('that is closed cannot be compared, and two jobs do not run at once', async () => {
    const { request, recipe, merged } = await exported();
    const asked = { recipe, choices: DEFAULT_CHOICES };
    await expect(request('verify', { ...asked, merged: 'gone' })).rejects.toMatchObject({ reason: 'checkpoint-not-open' });
    const first = request('verify', { ...asked, merged: merged.id });
    await expect(request('scan', asked)).rejects.toMatchObject({ reason: 'busy' });
    await first;
  });
});
