/** The device buffers of one group's selections: parameters, states, histograms, tie counts. */
import type { Group } from '../merge/backend';
import type { TensorParameters } from '../recipe/types';
import type { Context } from './context';
import type { Recording } from './recording';
import { BINS, LANES, SELECTION, SLOT } from './layout';
import { blockCount, initialState, slotTable, trimmedLanes } from './tables';

const STORAGE = 0x80 | 0x8 | 0x4; // GPUBufferUsage.STORAGE | COPY_DST | COPY_SRC
/** Storage bindings start at multiples of this on every adapter. */
const ALIGN = 256;

export interface GroupBuffers {
  readonly slotCount: number;
  readonly slots: GPUBuffer;
  /** Selections, lane by lane. */
  readonly state: GPUBuffer;
  readonly stateBytes: number;
  /** Selections of one lane while `locate` works on them. */
  readonly found: GPUBuffer;
  readonly laneBytes: number;
  /** Lanes with something to select in some slot, models first. */
  readonly lanes: readonly number[];
  /** BINS counts a slot. All zero between selections. */
  histograms(lane: number): GPUBufferBinding;
  /** One count a block of the group. */
  tieCounts(lane: number): GPUBufferBinding;
  clearTies(recording: Recording, lane: number): void;
  /** Starts over with other parameters for the same group. */
  reset(parameters: readonly TensorParameters[]): GroupBuffers;
  /** Makes every model of one slot a lane with something to rank, and nothing else. */
  rankOnly(slot: number): void;
  setFactors(factors: readonly (readonly number[])[]): void;
  release(): void;
}

export async function createGroupBuffers(context: Context, group: Group, parameters: readonly TensorParameters[]): Promise<GroupBuffers> {
  const { memory, device } = context;
  const slotCount = group.slots.length;
  const laneBytes = slotCount * SELECTION.size;
  const histogramBytes = slotCount * BINS * 4;
  const tieBytes = Math.ceil((group.chunks.reduce((sum, chunk) => sum + blockCount(chunk), 0) * 4) / ALIGN) * ALIGN;
  const slots = await memory.borrow('slots', slotTable(group, parameters).byteLength, STORAGE);
  const state = await memory.borrow('state', LANES * laneBytes, STORAGE);
  const found = await memory.borrow('found', laneBytes, STORAGE);
  const histograms = await memory.borrow('histograms', LANES * histogramBytes, STORAGE);
  const ties = await memory.borrow('tie counts', LANES * tieBytes, STORAGE);
  const clear = device.createCommandEncoder({ label: 'clear histograms' });
  clear.clearBuffer(histograms);
  device.queue.submit([clear.finish()]);

  const withParameters = (current: readonly TensorParameters[]): GroupBuffers => {
    device.queue.writeBuffer(slots, 0, slotTable(group, current));
    device.queue.writeBuffer(state, 0, initialState(group, current));
    const trimmed = current.reduce((mask, p, s) => mask | trimmedLanes(group, s, p), 0);
    return {
      slotCount,
      slots,
      state,
      stateBytes: LANES * laneBytes,
      found,
      laneBytes,
      lanes: Array.from({ length: LANES }, (_, lane) => lane).filter((lane) => (trimmed >> lane) & 1),
      histograms: (lane) => ({ buffer: histograms, offset: lane * histogramBytes, size: histogramBytes }),
      tieCounts: (lane) => ({ buffer: ties, offset: lane * tieBytes, size: tieBytes }),
      clearTies: (recording, lane) => recording.clear(ties, lane * tieBytes, tieBytes),
      reset: withParameters,
      rankOnly: (slot) => {
        const table = slotTable(group, current);
        const models = group.slots[slot]!.inputs.length - 1;
        group.slots.forEach((_, s) => (table[(s * SLOT.size + SLOT.trimmed) / 4] = s === slot ? (1 << models) - 1 : 0));
        device.queue.writeBuffer(slots, 0, table);
      },
      setFactors: (factors) => device.queue.writeBuffer(slots, 0, slotTable(group, current, factors)),
      release: () => [slots, state, found, histograms, ties].forEach((buffer) => memory.release(buffer)),
    };
  };
  return withParameters(parameters);
}
