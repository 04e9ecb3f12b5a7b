/**
 * Whether this adapter's float units round to nearest even: WGSL does not promise it (faults.md row 34), so it is tried on
 * awkward operands. The host's own f32 arithmetic is the oracle. Subnormals, NaN and overflow never reach a float unit.
 */
import { GpuUnavailableError } from '../bytes/errors';
import { f32Bits } from './layout';
import type { Arithmetic } from './shaders';
import { shaderText } from './shaders';

const AWKWARD = [
  0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007fffff, 0x00800000, 0x80800001, 0x00ffffff, 0x3f800000, 0xbf800000,
  0x3f800001, 0x3f7fffff, 0x40490fdb, 0x3eaaaaab, 0x33800000, 0x34000000, 0x33ffffff, 0x4b800000, 0x4b7fffff, 0xcb800001,
  0x7f7fffff, 0xff7fffff, 0x7f000000, 0x1f800000, 0x20000001, 0x5f7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0x00400000,
  0x3c23d70a, 0xbc23d70b, 0x2edbe6ff, 0x0d800003, 0x3dcccccd, 0xbe99999a, 0x00000003, 0x34000001, 0x3f000000, 0x40000000,
];

export interface ProbeFinding {
  readonly arithmetic: Arithmetic;
  /** Division by the float units too; else by integers. */
  readonly exactDivision: boolean;
  readonly tried: number;
  /** Operations whose result differed, such as `0x1 + 0x1: 0x0, expected 0x2`; at most a few. */
  readonly wrong: readonly string[];
}

/** Tries one arithmetic library on every pair of awkward operands. */
export async function probeArithmetic(device: GPUDevice, arithmetic: Arithmetic, exactDivision = false): Promise<ProbeFinding> {
  const pairs = AWKWARD.flatMap((a) => AWKWARD.map((b) => [a, b] as const));
  const operands = Uint32Array.from(pairs.flat());
  const module = device.createShaderModule({ label: 'probe', code: shaderText('probe', { arithmetic }) });
  const constants = arithmetic === 'guarded' ? { EXACT_DIVISION: exactDivision ? 1 : 0 } : {};
  const pipeline = await device.createComputePipelineAsync({ label: 'probe', layout: 'auto', compute: { module, entryPoint: 'probe', constants } });
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const input = device.createBuffer({ label: 'probe operands', size: operands.byteLength, usage });
  const output = device.createBuffer({ label: 'probe results', size: 2 * operands.byteLength, usage });
  const staging = device.createBuffer({ label: 'probe readback', size: output.size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  try {
    device.queue.writeBuffer(input, 0, operands);
    const encoder = device.createCommandEncoder({ label: 'probe' });
    const pass = encoder.beginComputePass({ label: 'probe' });
    pass.setPipeline(pipeline);
    pass.setBindGroup(
      0,
      device.createBindGroup({
        label: 'probe',
        layout: pipeline.getBindGroupLayout(0),
        entries: [
          { binding: 0, resource: { buffer: input } },
          { binding: 1, resource: { buffer: output } },
        ],
      }),
    );
    pass.dispatchWorkgroups(Math.ceil(pairs.length / 64));
    pass.end();
    encoder.copyBufferToBuffer(output, 0, staging, 0, output.size);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const results = new Uint32Array(staging.getMappedRange().slice(0));
    return { arithmetic, exactDivision, tried: 4 * pairs.length, wrong: compare(pairs, results) };
  } finally {
    [input, output, staging].forEach((buffer) => buffer.destroy());
  }
}

/** The arithmetic to use: float units where they pass, integers where not. Throws GpuUnavailableError when neither does. */
export async function chooseArithmetic(device: GPUDevice): Promise<ProbeFinding> {
  for (const exactDivision of [true, false]) {
    const guarded = await probeArithmetic(device, 'guarded', exactDivision);
    if (guarded.wrong.length === 0) return guarded;
  }
  const integer = await probeArithmetic(device, 'integer');
  if (integer.wrong.length === 0) return integer;
  throw new GpuUnavailableError('self-test-failed', `integer arithmetic is wrong on this adapter: ${integer.wrong[0]}`, { names: integer.wrong });
}

const REPORTED = 4;
function compare(pairs: readonly (readonly [number, number])[], results: Uint32Array): string[] {
  const wrong: string[] = [];
  pairs.forEach(([a, b], i) => {
    const x = fromBits(a);
    const y = fromBits(b);
    [x + y, x - y, x * y, x / y].forEach((exact, operation) => {
      const expected = f32Bits(exact);
      const actual = results[4 * i + operation]!;
      const same = Number.isNaN(exact) ? (actual & 0x7fffffff) > 0x7f800000 : actual === expected;
      if (!same && wrong.length < REPORTED) {
        wrong.push(`${hex(a)} ${'+-*/'[operation]} ${hex(b)}: ${hex(actual)}, expected ${hex(expected)}`);
      }
    });
  });
  return wrong;
}

const view = new DataView(new ArrayBuffer(4));
function fromBits(bits: number): number {
  view.setUint32(0, bits);
  return view.getFloat32(0);
}
function hex(bits: number): string {
  return `0x${bits.toString(16).padStart(8, '0')}`;
}
