/** What the views of a held group share. This file constructs nothing. */
import type { Group, GroupResult } from '../../merge/backend';
import type { TensorParameters } from '../../recipe/types';
import type { Context } from '../context';
import type { GroupBuffers } from '../group-buffers';
import type { Residency } from '../residency';

export interface HeldGroup {
  readonly context: Context;
  /** Of one chunk, which is resident. */
  readonly group: Group;
  readonly residency: Residency;
  /** The group's buffers with these parameters and nothing selected. */
  prepare(parameters: readonly TensorParameters[]): Promise<GroupBuffers>;
  evaluate(parameters: readonly TensorParameters[], signal?: AbortSignal): Promise<GroupResult>;
}
