/** The CPU backend: the definitions of merging.md on typed arrays, part by part; equal to the reference to the bit. */
import type { Backend } from '../merge/backend';
import { createReferenceBackend } from '../reference/backend';
import { Pace } from '../reference/pace';
import { inlineCrew } from './inline';
import { mergeGroup, RESIDENT_BYTES } from './merging';
import { Scratch } from './scratch';

/** A chunk of 2 M elements of three bf16 inputs and their output: enough to keep a worker busy for a twentieth of a second. */
const CHUNK_BYTES = 16 * 2 ** 20;

export interface CpuOptions {
  /** Bytes of a group's inputs that are kept between passes. */
  readonly residentBytes?: number;
}

/** Needs nothing of its environment, so it runs the same in a page, in a worker and under Node. */
export function createCpuBackend({ residentBytes = RESIDENT_BYTES }: CpuOptions = {}): Backend {
  const scratch = new Scratch();
  const reference = createReferenceBackend();
  return {
    info: { kind: 'cpu', label: 'CPU', software: false, arithmetic: 'native' },
    chunkBytes: CHUNK_BYTES,
    merge(group, parameters, read, write, { signal, onChunk } = {}) {
      const pace = new Pace(signal);
      const pause = () => pace.pause();
      return mergeGroup(group, parameters, read, write, { crew: inlineCrew(pause, scratch), scratch, pause, residentBytes }, onChunk);
    },
    hold: (group, read) => reference.hold(group, read),
    dispose: () => {},
  };
}
