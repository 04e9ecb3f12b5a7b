/** The device buffers of one group's selections: parameters, states, histograms, tie counts. */
import type { Group } from '../merge/backend';
import type { TensorParameters } from '../recipe/types';
import type { Context } from './context';
import type { Recording } from './recording';
import { BINS, LANES, SELECTION, SLACK_LANE, SLOT } from './layout';
import { blockCount, initialState, slotTable, trimmedLanes } from './tables';
import { ALIGN, STORAGE } from './usage';

export interface GroupBuffers {
  readonly slotCount: number;
  readonly slots: GPUBuffer;
  /** Selections, lane by lane. */
  readonly state: GPUBuffer;
  readonly stateBytes: number;
  /** A copy of them while `locate` works on it. */
  readonly found: GPUBuffer;
  readonly laneBytes: number;
  /** Lanes with something to select in some slot, models first. */
  readonly lanes: readonly number[];
  /** Empties the histograms: of what was sent before, what would have emptied them may not have been. */
  begin(recording: Recording): void;
  /** BINS counts a slot, all zero from `begin` to the first that are counted. */
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
  // Of the models and the slack.
  const ranked = group.slots[0]!.inputs.length;
  const place = (lane: number) => (lane === SLACK_LANE ? ranked - 1 : lane);
  const loan = memory.loan();
  const [slots, state, found, histograms, ties] = await loan.borrowAll(STORAGE, [
    ['slots', slotTable(group, parameters).byteLength],
    ['state', LANES * laneBytes],
    ['found', LANES * laneBytes],
    ['histograms', ranked * histogramBytes],
    ['tie counts', ranked * tieBytes],
  ] as const);

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
      begin: (recording) => recording.clear(histograms, 0, ranked * histogramBytes),
      histograms: (lane) => ({ buffer: histograms, offset: place(lane) * histogramBytes, size: histogramBytes }),
      tieCounts: (lane) => ({ buffer: ties, offset: place(lane) * tieBytes, size: tieBytes }),
      clearTies: (recording, lane) => recording.clear(ties, place(lane) * tieBytes, tieBytes),
      reset: withParameters,
      rankOnly: (slot) => {
        const table = slotTable(group, current);
        const models = group.slots[slot]!.inputs.length - 1;
        group.slots.forEach((_, s) => (table[(s * SLOT.size + SLOT.trimmed) / 4] = s === slot ? (1 << models) - 1 : 0));
        device.queue.writeBuffer(slots, 0, table);
      },
      setFactors: (factors) => device.queue.writeBuffer(slots, 0, slotTable(group, current, factors)),
      release: () => loan.release(),
    };
  };
  return withParameters(parameters);
}
