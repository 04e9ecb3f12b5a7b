/** Bytes of the host onto the device, each way there is, in turns; the queue is empty when a repetition ends. */
import { measureInTurns, type Measurement } from './report';

const MIB = 2 ** 20;
const SIZES = [1, 16, 64];
const REPETITIONS = 5;

/** Rows `upload N MiB, WAY`. */
export async function uploadTimings(device: GPUDevice): Promise<Measurement[]> {
  const rows: Measurement[] = [];
  for (const size of SIZES) rows.push(...(await timingsOf(device, size * MIB)));
  return rows;
}

async function timingsOf(device: GPUDevice, bytes: number): Promise<Measurement[]> {
  const { queue } = device;
  const source = new Uint8Array(bytes).fill(0x5a);
  const target = device.createBuffer({ label: 'upload', size: bytes, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST });
  const ring = device.createBuffer({ label: 'staging', size: bytes, usage: GPUBufferUsage.MAP_WRITE | GPUBufferUsage.COPY_SRC });
  const copyFrom = (staging: GPUBuffer) => {
    const encoder = device.createCommandEncoder({ label: 'upload' });
    encoder.copyBufferToBuffer(staging, 0, target, 0, bytes);
    queue.submit([encoder.finish()]);
  };
  const name = `upload ${bytes / MIB} MiB`;
  const ways = [
    {
      name: `${name}, writeBuffer`,
      work: async () => {
        queue.writeBuffer(target, 0, source);
        await queue.onSubmittedWorkDone();
      },
    },
    {
      name: `${name}, a staging buffer mapped again and again`,
      work: async () => {
        await ring.mapAsync(GPUMapMode.WRITE);
        new Uint8Array(ring.getMappedRange()).set(source);
        ring.unmap();
        copyFrom(ring);
        await queue.onSubmittedWorkDone();
      },
    },
    {
      name: `${name}, a staging buffer mapped at creation`,
      work: async () => {
        const staging = device.createBuffer({ label: 'staging', size: bytes, usage: GPUBufferUsage.COPY_SRC, mappedAtCreation: true });
        new Uint8Array(staging.getMappedRange()).set(source);
        staging.unmap();
        copyFrom(staging);
        await queue.onSubmittedWorkDone();
        staging.destroy();
      },
    },
  ];
  const rows = await measureInTurns(ways, bytes, REPETITIONS, 0);
  target.destroy();
  ring.destroy();
  return rows;
}
