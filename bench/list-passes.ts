/** Each pass of a selection from a bracket alone: what selects in a single tensor of some size. */
import { DIGITS } from '../src/engine/digits';
import { BRACKET } from '../src/engine/layout';
import { groupOverrides } from '../src/engine/overrides';
import { prepareGather } from '../src/engine/passes/gather';
import { prepareListed } from '../src/engine/passes/listed';
import { preparePick } from '../src/engine/passes/pick';
import type { Recording } from '../src/engine/recording';
import { bracketOf } from '../src/engine/sample';
import { ALIGN, STORAGE } from '../src/engine/usage';
import { keptOf } from '../src/merge/backend';
import type { Resident } from './passes';
import type { Measurement } from './report';

const ENTRY_BYTES = 8;
/** Of the list, in elements of the tensor: the engine's own are no longer. */
const ROOM = 4;
const LIST_COPY = 'pass copy of a list (device, for comparison)';

/** For one model. Rejects where its bracket missed: what follows from it is no selection. */
export async function listTimings({ context, group, parameters, buffers, residency, chunks, elements, timed }: Resident, lane: number): Promise<Measurement[]> {
  const { device } = context;
  const overrides = groupOverrides(group, parameters);
  const [gather, listed, pick] = await Promise.all([prepareGather(context, overrides, [lane]), prepareListed(context, lane), preparePick(context, lane)]);
  const capacity = Math.min(Math.ceil(elements / ROOM), Math.floor(device.limits.maxStorageBufferBindingSize / ENTRY_BYTES));
  const brackets = device.createBuffer({ label: 'brackets', size: ALIGN, usage: STORAGE });
  const entries = device.createBuffer({ label: 'bracket entries', size: ENTRY_BYTES * capacity, usage: STORAGE });
  const kept = keptOf(parameters[0]!, lane, elements);
  const { low, high } = bracketOf(residency.sample!.keys(lane), kept, elements);
  device.queue.writeBuffer(brackets, 0, Uint32Array.of(low, high));

  const list = { bracket: { buffer: brackets, size: BRACKET.size }, entries: { buffer: entries }, capacity };
  const gatherAll = (r: Recording) => chunks.forEach((chunk) => gather(r, chunk, buffers, { brackets: { buffer: brackets }, entries: { buffer: entries } }));
  const rank = (r: Recording) => {
    listed.settle(r, buffers, list);
    for (const digit of DIGITS) {
      listed.digits(r, buffers, list, digit);
      pick(r, buffers, digit);
    }
  };
  const select = (r: Recording) => {
    gatherAll(r);
    rank(r);
    listed.cut(r, buffers, list);
  };
  const empty = (r: Recording) => r.clear(brackets, BRACKET.above, BRACKET.size - BRACKET.above);
  const afresh = (r: Recording) => {
    buffers.reset(parameters);
    buffers.begin(r);
    buffers.clearTies(r, lane);
    empty(r);
  };

  const recording = context.record('selection');
  afresh(recording);
  gatherAll(recording);
  rank(recording);
  recording.copy(buffers.state, 0, buffers.found, 0, buffers.stateBytes);
  recording.submit();
  const [words] = await context.readBack([{ buffer: brackets, size: BRACKET.size }]);
  const counts = new Uint32Array(words!.buffer);
  const above = counts[BRACKET.above / 4]!;
  const count = counts[BRACKET.count / 4]!;
  if (above >= kept || kept > above + count || count > capacity) throw new Error(`a bracket of ${count} keys after ${above} missed number ${kept} (room: ${capacity})`);

  const bytes = ENTRY_BYTES * count;
  const ofList = { elements: count, against: LIST_COPY };
  // The passes over the list are of the selection that was just made.
  const selected = (r: Recording) => {
    r.copy(buffers.found, 0, buffers.state, 0, buffers.stateBytes);
    buffers.begin(r);
    buffers.clearTies(r, lane);
  };
  const copied = device.createBuffer({ label: 'copy of a list', size: bytes, usage: STORAGE });
  const rows = [
    await timed(LIST_COPY, 2 * bytes, (r) => r.copy(entries, 0, copied, 0, bytes), { elements: count }),
    await timed('pass settle', 0, (r) => listed.settle(r, buffers, list), { elements: 0, before: selected }),
    await timed('pass listed, first digit', bytes, (r) => listed.digits(r, buffers, list, DIGITS[0]!), { ...ofList, before: selected }),
    await timed('pass listed, last tie (equals, find block, mark, cut)', 2 * bytes, (r) => listed.cut(r, buffers, list), { ...ofList, before: selected }),
    await timed('pass gather', 4 * elements + bytes, gatherAll, { before: empty }),
    // The list is written once, and read for three digits and two looks for the last tie.
    await timed('pass gather and all of its list', 4 * elements + 6 * bytes, select, { before: afresh }),
  ];
  for (const buffer of [brackets, entries, copied]) buffer.destroy();
  return rows;
}
