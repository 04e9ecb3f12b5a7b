/** What selections are made of. This file constructs nothing. */
import type { Group } from '../merge/backend';
import type { TensorParameters } from '../recipe/types';
import type { Context } from './context';
import type { GroupBuffers } from './group-buffers';
import type { Residency } from './residency';

/** A group with its parameters, on the device. */
export interface Selectable {
  readonly context: Context;
  readonly group: Group;
  readonly parameters: readonly TensorParameters[];
  readonly buffers: GroupBuffers;
  readonly residency: Residency;
}
