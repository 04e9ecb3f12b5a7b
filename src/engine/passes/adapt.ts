/** Twin of shaders/adapt.wgsl: values of an adapter on its base. */
import { requestElements } from '../../merge/adapting';
import type { AdaptRequest } from '../../merge/adapting';
import type { Context } from '../context';
import { ADAPT, DTYPE_CODE, THREADS, f32Bits } from '../layout';
import type { PassShape } from '../pipelines';

const SHAPE: PassShape = { shader: 'adapt', entry: 'adapt', storage: { 0: 'read', 4: 'read', 5: 'read', 6: 'read', 7: 'write' }, work: true };
const INPUT = 0x80 | 0x8; // GPUBufferUsage.STORAGE | COPY_DST
const OUTPUT = 0x80 | 0x4; // GPUBufferUsage.STORAGE | COPY_SRC

/** The bytes of `request` in F32. Throws OutOfMemoryError, and DeviceLostError as every reading back does. */
export async function adapt(context: Context, request: AdaptRequest): Promise<Uint8Array<ArrayBuffer>> {
  const count = requestElements(request);
  const { memory } = context;
  const lent: GPUBuffer[] = [];
  const borrow = async (label: string, size: number, usage: number) => {
    // Whole pairs of the widest dtype.
    const buffer = await memory.borrow(label, Math.ceil(Math.max(size, 1) / 16) * 16, usage);
    lent.push(buffer);
    return buffer;
  };
  const sent = async (label: string, bytes: Uint8Array<ArrayBuffer>) => {
    const buffer = await borrow(label, bytes.byteLength, INPUT);
    await context.uploads.write(buffer, 0, bytes);
    return buffer;
  };
  try {
    const pass = await context.pipelines.atOnce(SHAPE, { MODELS: 1, IN_DTYPE: DTYPE_CODE[request.dtype], RANK: request.rank });
    const formed = await borrow('adapted values', 4 * count, OUTPUT);
    const bindings = {
      0: await sent('base of an adapter', request.base),
      4: await sent('adapter', settings(request, count)),
      5: await sent('left factor', bytesOf(request.left)),
      6: await sent('right factor', bytesOf(request.right)),
      7: formed,
    };
    const recording = context.record('adapt');
    recording.dispatchBlocks(pass, bindings, { slotCount: 0, endBlock: Math.ceil(count / (2 * THREADS)) }, null);
    recording.submit();
    const [bytes] = await context.readBack([{ buffer: formed, size: 4 * count }]);
    return bytes!;
  } finally {
    lent.forEach((buffer) => memory.release(buffer));
  }
}

function settings({ dtype, columns, first, scale }: AdaptRequest, count: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(ADAPT.size / 4);
  words[ADAPT.dtype / 4] = DTYPE_CODE[dtype];
  words[ADAPT.count / 4] = count;
  words[ADAPT.columns / 4] = columns;
  words[ADAPT.column / 4] = first % columns;
  words[ADAPT.scale / 4] = f32Bits(scale);
  return bytesOf(words);
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
