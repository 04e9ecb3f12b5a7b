/** Which groups are read together: many small ones in few large reads, a large one for itself. */
import type { Segment } from './backend';
import { ChunkReader, stretchBytes, stretchesOf } from './chunk-reading';
import type { Given, PartOf } from './chunk-reading';
import { inputPart } from './inputs';
import type { MergeStep, Step } from './plan-types';
import type { Sources } from './reading';

/** Merge steps that follow each other and are read together. */
export interface Window {
  /** Index of the first one in the plan. */
  readonly first: number;
  readonly steps: readonly MergeStep[];
  /** Bytes that are read before a group is handed over: all inputs, or the first stretch of a group that has several. */
  readonly bytes: number;
}

/**
 * The merge steps of a plan in windows, in order. No input of a window has more bytes than a stretch may have (`stretchBytes`),
 * nor more than twice those of the largest window before: the first reads are small, so that there is work soon. A group that has
 * more by itself is a window. So is a copy an end of one, since it is made in its turn.
 */
export function windowsOf(steps: readonly Step[], readAheadBytes: number): Window[] {
  const windows: Window[] = [];
  let open: { readonly first: number; readonly steps: MergeStep[]; bytes: readonly number[] } | null = null;
  let most = 0;
  const close = () => {
    if (open) windows.push({ first: open.first, steps: open.steps, bytes: open.bytes.reduce((sum, own) => sum + own, 0) });
    most = Math.max(most, 2 * Math.max(0, ...(open?.bytes ?? [])));
    open = null;
  };
  for (const [at, step] of steps.entries()) {
    if (step.kind === 'copy') {
      close();
      continue;
    }
    const stretch = stretchBytes(readAheadBytes, step.group.slots[0]!.inputs.length);
    const [{ bytes }, ...more] = stretchesOf(step.group, stretch) as [ReturnType<typeof stretchesOf>[number]];
    const limit = Math.min(most, stretch);
    const both = open && more.length === 0 ? open.bytes.map((sum, input) => sum + bytes[input]!) : null;
    if (open && both?.every((sum) => sum <= limit)) {
      open.steps.push(step);
      open.bytes = both;
    } else {
      close();
      open = { first: at, steps: [step], bytes };
    }
    // What follows a group of several stretches is no part of its reads.
    if (more.length > 0) close();
  }
  close();
  return windows;
}

/** Starts reading a window: a reader for each of its groups, and what settles when all that is read before a group begins is here. */
export function readWindow({ steps }: Window, sources: Sources, readAheadBytes: number): { readonly readers: readonly ChunkReader[]; readonly ready: Promise<void> } {
  const parts = steps.map(({ group, inputs }) => ({ slot, first, count }: Segment, input: number) => inputPart(group.slots[slot]!, input, inputs[slot]![input]!, first, count));
  const together = steps.length > 1 ? readTogether(steps, parts, sources) : [];
  const readers = steps.map(({ group }, k) => new ChunkReader(group, sources, parts[k]!, readAheadBytes, together[k]));
  return { readers, ready: Promise.all(readers.map((reader) => reader.begin())).then(() => {}) };
}

/** Every input of all steps at once, so that neighbours over the borders of groups are one read; per step and input, its ranges' bytes. */
function readTogether(steps: readonly MergeStep[], parts: readonly PartOf[], sources: Sources): Given[] {
  const given: Given[] = steps.map(() => []);
  for (const input of steps[0]!.group.slots[0]!.inputs.keys()) {
    const ranges = steps.map(({ group }, k) => group.chunks.flat().flatMap((segment) => (segment.present[input] ? parts[k]!(segment, input).ranges : [])));
    const loaded = sources.readAll(ranges.flat());
    // Met by every group that waits for its own.
    loaded.catch(() => {});
    let at = 0;
    for (const [k, { length }] of ranges.entries()) {
      const [from, to] = [at, (at += length)];
      given[k]!.push(length === 0 ? null : () => loaded.then((bytes) => bytes.slice(from, to)));
    }
  }
  return given;
}
