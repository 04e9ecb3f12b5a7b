/** The WebGPU engine on this machine's adapter, in Chromium. No adapter is a failure, never a skip. */
import { describe, expect, it } from 'vitest';
import { traitsOf } from '../../src/recipe/methods';
import type { Method } from '../../src/recipe/types';
import { createReferenceBackend } from '../../src/reference/backend';
import { failOnUncaptured, make, NAME } from './adapter';
import { describeAngles } from './angles';
import { describeChunks } from './chunks';
import { describeFigures } from './figures';
import { loadFixture } from './fixtures';
import { describeGolden, goldenReports } from './golden';
import { describeHeld } from './held';
import { describeLimits } from './limits';
import { describeMasks } from './masks';
import { expectSameResult } from './compare';
import { mergeWhole } from './harness';
import { describeProperties } from './properties';
import { EVERYTHING, trainedSlot } from './scenarios';

failOnUncaptured();

describeGolden(NAME, make());
describeGolden(`${NAME}, integer arithmetic`, make({ arithmetic: 'integer' }), { exact: true });
describeChunks(NAME, make());
describeChunks(`${NAME}, nothing resident between readings`, make({ residentBytes: 0 }));
describeLimits(NAME, make(), ['linear', 'ties_sv']);
describeHeld(NAME, make());
describeAngles(NAME, make());
describeMasks(NAME, make(), { brief: true });
// A software adapter takes up to 20 s an entry: TIES for every checkpoint of the series, everything for the last of each.
const wanted = (title: string) => !title.startsWith('ties-sv') || /ct-x-4M|ct-y-1M/.test(title);
describeFigures(NAME, make(), (folder) => loadFixture(`checkpoints/${folder}/model.safetensors`), wanted);
// What follows a choice made by a draw or on the host is the passes of the other methods.
const isChosenByPasses = (method: Method) => ['all', 'largest'].includes(traitsOf(method).keeps);
describeProperties(NAME, make(), { runs: 14, limits: { methods: EVERYTHING.methods.filter(isChosenByPasses) } });
describeProperties(NAME, make(), { runs: 6, limits: { methods: EVERYTHING.methods.filter((method) => !isChosenByPasses(method)) } });

describe(`slack after rescale on ${NAME}`, () => {
  it('ranks the margins of the rescaled values', async () => {
    const parameters = { weight: [1, 1], density: [0.2, 0.6], lambda: 1, normalize: true, rescale: true, slack: { s: 0.1, of: 'retained', prefer: 0 } } as const;
    const slots = [trainedSlot('rescaled', 2000, ['F32', 'F32', 'F32'], 'F32', parameters)];
    const backend = await make()();
    const expected = await mergeWhole(createReferenceBackend(), 'ties_sv', slots);
    const actual = await mergeWhole(backend, 'ties_sv', slots);
    expectSameResult(actual.result, expected.result);
    expect(expected.result.slots[0]!.figures.reserved).toBeGreaterThan(0);
    backend.dispose();
  });
});

describe(`distances on ${NAME}`, () => {
  it('every golden tensor was compared; those with values that differ within section 8 are reported', async ({ annotate }) => {
    const differing = goldenReports.filter((report) => report.differing > 0);
    expect(goldenReports.length).toBeGreaterThan(300);
    await annotate(`${goldenReports.length} golden tensors, ${differing.length} with values that differ`);
    for (const report of differing) await annotate(JSON.stringify(report));
  });
});
