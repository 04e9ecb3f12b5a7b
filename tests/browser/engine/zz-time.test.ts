import { it } from 'vitest';
import { createWebGpuBackend } from '../../../src/engine/backend';
import { requestStudioDevice } from '../../../src/engine/device';
import { Context } from '../../../src/engine/context';
import { loadFixture } from '../../conformance/fixtures';
import { readSafetensors, elementsOf } from '../../conformance/safetensors';
import { makeGroup, readerOf, wholeSlots, type SlotCase } from '../../conformance/harness';
it('times', async () => {
  const { device } = await requestStudioDevice();
  const log: string[] = [];
  const rb = Context.prototype.readBack;
  Context.prototype.readBack = async function (s) { const t = performance.now(); const r = await rb.call(this, s); log.push(`readback ${(performance.now() - t).toFixed(0)}`); return r; };
  const b = await createWebGpuBackend(device, { arithmetic: 'guarded' });
  const inputs = await Promise.all(['base', 'sft', 'ct-x-4M'].map(async (f) => readSafetensors(await loadFixture(`checkpoints/${f}/model.safetensors`))));
  const parameters = { weight: [1, 1], density: [0.2, 1], lambda: 1, normalize: true, rescale: false, slack: { s: 0.04, of: 'retained', prefer: 0 } } as const;
  const slots = [...inputs[0]!.keys()].map((name): SlotCase => ({ name, elements: elementsOf(inputs[0]!.get(name)!), inputs: inputs.map((i) => i.get(name)!), outDtype: 'BF16', parameters }));
  const group = makeGroup('ties_sv', slots, [wholeSlots(slots)]);
  let t = performance.now();
  const held = await b.hold(group, readerOf(slots)); log.push(`hold ${(performance.now() - t).toFixed(0)}`);
  for (let i = 0; i < 4; i++) { t = performance.now(); await held.evaluate(slots.map((s) => s.parameters)); log.push(`evaluate ${(performance.now() - t).toFixed(0)}`); }
  for (let i = 0; i < 2; i++) { t = performance.now(); await b.merge(group, slots.map((s) => s.parameters), readerOf(slots), async () => {}); log.push(`merge ${(performance.now() - t).toFixed(0)}`); }
  console.info(log.join('\n'));
});
