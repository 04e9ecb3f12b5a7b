/**
 * Whether this adapter's float units round to nearest even: WGSL does not promise it (faults.md row 34), so it is tried on
 * awkward operands. The host's own f32 arithmetic is the oracle. Subnormals, NaN and overflow never reach a float unit.
 */
import { GpuUnavailableError } from '../bytes/errors';
import { f32Bits } from './layout';
import type { AdapterTraits } from './pipelines';
import type { F32Library } from './shaders';
import { shaderText } from './shaders';

const AWKWARD = [
  0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007fffff, 0x00800000, 0x80800001, 0x00ffffff, 0x3f800000, 0xbf800000,
  0x3f800001, 0x3f7fffff, 0x40490fdb, 0x3eaaaaab, 0x33800000, 0x34000000, 0x33ffffff, 0x4b800000, 0x4b7fffff, 0xcb800001,
  0x7f7fffff, 0xff7fffff, 0x7f000000, 0x1f800000, 0x20000001, 0x5f7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0x00400000,
  0x3c23d70a, 0xbc23d70b, 0x2edbe6ff, 0x0d800003, 0x3dcccccd, 0xbe99999a, 0x00000003, 0x34000001, 0x3f000000, 0x40000000,
];

/** Ordinary operands with full significands of every kind, so that fusion and quotients a place off show. */
const ORDINARY = Array.from({ length: 24 }, (_, i) => ((i % 2) << 31) | ((110 + ((7 * i) % 32)) << 23) | (Math.imul(i + 1, 0x9e3779b1) & 0x7fffff)).map((bits) => bits >>> 0);
/** The largest and smallest exponents of what counts as ordinary, with significands all over: products and quotients reach 2^-124 and 2^125. */
const EXTREME = [65, 66, 67, 96, 158, 187, 188, 189].flatMap((exponent, i) => [0x7fffff, Math.imul(i + 3, 0x85ebca6b) & 0x7fffff].map((significand, sign) => ((sign << 31) | (exponent << 23) | significand) >>> 0));
const OPERANDS = [...AWKWARD, ...ORDINARY, ...EXTREME];

/** What the probe's shader does, on f64, which rounds these to f32 as one operation would. */
const OPERATIONS: readonly (readonly [string, (a: number, b: number) => number])[] = [
  ['a + b', (a, b) => a + b],
  ['a - b', (a, b) => a - b],
  ['a * b', (a, b) => a * b],
  ['a / b', (a, b) => a / b],
  ['(a * b) + a', (a, b) => Math.fround(a * b) + a],
  ['(a - b) + b', (a, b) => Math.fround(a - b) + b],
];
/** Words of one result. */
const STRIDE = 8;

export interface ProbeFinding {
  readonly library: F32Library;
  /** Division by the float units too; else by integers. */
  readonly exactDivision: boolean;
  readonly tried: number;
  /** Operations whose result differed, such as `a + b of 0x1, 0x1: 0x0, expected 0x2`; at most a few. */
  readonly wrong: readonly string[];
}

/** Tries one arithmetic library on every pair of awkward operands; float units alone on pairs that are no edges. */
export async function probeArithmetic(device: GPUDevice, library: F32Library, exactDivision = false): Promise<ProbeFinding> {
  const operandsOf = library === 'float' ? OPERANDS.filter(isOrdinary) : OPERANDS;
  const pairs = operandsOf.flatMap((a) => operandsOf.map((b) => [a, b] as const));
  const operands = Uint32Array.from(pairs.flat());
  const module = device.createShaderModule({ label: 'probe', code: shaderText('probe', { f32: library }) });
  const constants = library === 'guarded' || library === 'float' ? { EXACT_DIVISION: exactDivision ? 1 : 0 } : {};
  const pipeline = await device.createComputePipelineAsync({ label: 'probe', layout: 'auto', compute: { module, entryPoint: 'probe', constants } });
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const input = device.createBuffer({ label: 'probe operands', size: operands.byteLength, usage });
  const output = device.createBuffer({ label: 'probe results', size: 4 * STRIDE * pairs.length, usage });
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
    return { library, exactDivision, ...compare(pairs, results, library === 'float') };
  } finally {
    [input, output, staging].forEach((buffer) => buffer.destroy());
  }
}

/** The arithmetic to use: float units where they pass, integers where not. Throws GpuUnavailableError when neither does. */
export async function chooseArithmetic(device: GPUDevice): Promise<AdapterTraits> {
  const integer = await probeArithmetic(device, 'integer');
  if (integer.wrong.length > 0) {
    throw new GpuUnavailableError('self-test-failed', `integer arithmetic is wrong on this adapter: ${integer.wrong[0]}`, { names: integer.wrong });
  }
  for (const exactDivision of [true, false]) {
    const [float, guarded] = await Promise.all([probeArithmetic(device, 'float', exactDivision), probeArithmetic(device, 'guarded', exactDivision)]);
    if (float.wrong.length + guarded.wrong.length === 0) return { arithmetic: 'guarded', exactDivision };
  }
  return { arithmetic: 'integer', exactDivision: false };
}

const REPORTED = 4;
function compare(pairs: readonly (readonly [number, number])[], results: Uint32Array, ordinary: boolean): { tried: number; wrong: string[] } {
  const wrong: string[] = [];
  let tried = 0;
  pairs.forEach(([a, b], i) => {
    const x = fromBits(a);
    const y = fromBits(b);
    OPERATIONS.forEach(([operation, of], o) => {
      const exact = Math.fround(of(x, y));
      if (ordinary && !isZeroOrNormal(f32Bits(exact))) return;
      tried++;
      const expected = f32Bits(exact);
      const actual = results[STRIDE * i + o]!;
      // Float units may give a zero either sign: neither decides anything.
      const same = Number.isNaN(exact) ? (actual & 0x7fffffff) > 0x7f800000 : actual === expected || (ordinary && exact === 0 && (actual & 0x7fffffff) === 0);
      if (!same && wrong.length < REPORTED) {
        wrong.push(`${operation} of ${hex(a)}, ${hex(b)}: ${hex(actual)}, expected ${hex(expected)}`);
      }
    });
  });
  return { tried, wrong };
}

function isZeroOrNormal(bits: number): boolean {
  const exponent = (bits >>> 23) & 0xff;
  return (bits & 0x7fffffff) === 0 || (exponent >= 1 && exponent <= 254);
}

/** 0, or a magnitude that neither a product nor a quotient takes out of range. */
function isOrdinary(bits: number): boolean {
  const exponent = (bits >>> 23) & 0xff;
  return (bits & 0x7fffffff) === 0 || (exponent >= 65 && exponent <= 189);
}

const view = new DataView(new ArrayBuffer(4));
function fromBits(bits: number): number {
  view.setUint32(0, bits);
  return view.getFloat32(0);
}
function hex(bits: number): string {
  return `0x${bits.toString(16).padStart(8, '0')}`;
}
