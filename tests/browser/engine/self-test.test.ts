/**
 * Rule: issue 6.5 - the self-test runs every pass of the engine on this adapter, and an adapter on which any of them goes wrong is
 * named and refused. The adapter is this machine's; what is made to go wrong is one word in sixty-one of what one pass writes.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWebGpuBackend, type WebGpuBackend } from '../../../src/engine/backend';
import { requestStudioDevice } from '../../../src/engine/device';
import { selfTest } from '../../../src/merge/self-test';
import { createReferenceBackend } from '../../../src/reference/backend';

/** Every pass but `probe`, which ran before there was a backend. */
const PASSES = Object.keys(import.meta.glob('../../../shaders/*.wgsl')).map((path) => /(\w+)\.wgsl$/.exec(path)![1]!).filter((name) => name !== 'probe');
const EVERY = 61;
const THREADS = 64;
/** Added, so that a second dispatch does not undo the first: another count, another key, an f32 an eighth off. */
const SPOIL = `
@group(0) @binding(0) var<storage, read_write> words: array<u32>;
@compute @workgroup_size(${THREADS})
fn spoil(@builtin(global_invocation_id) id: vec3u) {
  let at = id.x * ${EVERY}u;
  if (at < arrayLength(&words)) { words[at] += 0x100005u; }
}`;

interface Written {
  readonly shader: string;
  readonly resource: GPUBufferBinding;
}

/** Watches what is dispatched on a device, and spoils what one shader writes. */
class Saboteur {
  /** Shaders that were dispatched. */
  readonly seen = new Set<string>();
  /** The shader whose outputs are spoilt after every dispatch. */
  victim: string | null = null;
  private readonly writes = new WeakMap<GPUBindGroupLayout, readonly number[]>();
  private readonly groups = new WeakMap<GPUBindGroup, readonly Written[]>();
  private readonly spoil: GPUComputePipeline;

  constructor(private readonly device: GPUDevice) {
    this.spoil = device.createComputePipeline({ label: 'spoil', layout: 'auto', compute: { module: device.createShaderModule({ code: SPOIL }), entryPoint: 'spoil' } });
    const layoutOf = device.createBindGroupLayout.bind(device);
    device.createBindGroupLayout = (descriptor) => {
      const layout = layoutOf(descriptor);
      this.writes.set(layout, [...descriptor.entries].flatMap(({ binding, buffer }) => (buffer?.type === 'storage' ? [binding] : [])));
      return layout;
    };
    const groupOf = device.createBindGroup.bind(device);
    device.createBindGroup = (descriptor) => {
      const group = groupOf(descriptor);
      const shader = descriptor.label!;
      const written = this.writes.get(descriptor.layout) ?? [];
      this.groups.set(group, [...descriptor.entries].filter(({ binding }) => written.includes(binding)).map(({ resource }) => ({ shader, resource: resource as GPUBufferBinding })));
      return group;
    };
    const encoderOf = device.createCommandEncoder.bind(device);
    device.createCommandEncoder = (descriptor) => {
      const encoder = encoderOf(descriptor);
      const passOf = encoder.beginComputePass.bind(encoder);
      encoder.beginComputePass = (of) => this.watched(passOf(of));
      return encoder;
    };
  }

  private watched(pass: GPUComputePassEncoder): GPUComputePassEncoder {
    let [pipeline, group, offsets] = [null as GPUComputePipeline | null, null as GPUBindGroup | null, [] as number[]];
    const set = { pipeline: pass.setPipeline.bind(pass), group: pass.setBindGroup.bind(pass) };
    pass.setPipeline = (next) => set.pipeline((pipeline = next));
    pass.setBindGroup = ((index: number, next: GPUBindGroup, dynamic: number[]) => set.group(index, (group = next), (offsets = dynamic))) as typeof pass.setBindGroup;
    const after = () => {
      const written = (group && this.groups.get(group)) ?? [];
      const [{ shader } = { shader: null }] = written;
      if (shader !== null) this.seen.add(shader);
      if (shader === null || shader !== this.victim) return;
      for (const { resource: { buffer, offset = 0, size = buffer.size - offset } } of written) {
        set.pipeline(this.spoil);
        set.group(0, this.device.createBindGroup({ label: 'spoil', layout: this.spoil.getBindGroupLayout(0), entries: [{ binding: 0, resource: { buffer, offset, size } }] }));
        dispatch(Math.ceil(size / 4 / EVERY / THREADS));
      }
      set.pipeline(pipeline!);
      set.group(0, group, offsets);
    };
    const dispatch = pass.dispatchWorkgroups.bind(pass);
    pass.dispatchWorkgroups = (...counts) => {
      dispatch(...counts);
      after();
    };
    const indirect = pass.dispatchWorkgroupsIndirect.bind(pass);
    pass.dispatchWorkgroupsIndirect = (...from) => {
      indirect(...from);
      after();
    };
    return pass;
  }
}

describe('the self-test on this adapter', () => {
  let backend: WebGpuBackend;
  let saboteur: Saboteur;
  const oracle = createReferenceBackend();
  beforeAll(async () => {
    const { device, label, software } = await requestStudioDevice();
    saboteur = new Saboteur(device);
    backend = await createWebGpuBackend(device, { label, software });
  });
  afterAll(() => backend.dispose());

  it('passes, and dispatches every shader there is', async () => {
    const findings = await selfTest(() => backend.onTrial(), oracle);
    expect(findings.filter(({ ok }) => !ok)).toEqual([]);
    expect([...saboteur.seen].sort()).toEqual([...PASSES].sort());
  });

  it('notices what any pass writes wrong', async () => {
    const unnoticed: string[] = [];
    for (const shader of PASSES) {
      saboteur.victim = shader;
      const trials: WebGpuBackend[] = [];
      // A pass that is wrong enough ends the merge itself.
      const findings = await selfTest(() => (trials[trials.length] = backend.onTrial()), oracle).catch(() => null);
      // A bracket that is wrong is one that misses: the engine sees it, and selects by radix.
      const isMissed = trials.some((trial) => trial.ledger().brackets.missed > 0);
      if (findings?.every(({ ok }) => ok) && !isMissed) unnoticed.push(shader);
    }
    saboteur.victim = null;
    expect(unnoticed).toEqual([]);
  }, 300_000);
});
