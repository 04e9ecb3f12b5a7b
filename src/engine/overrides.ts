/** The override constants of a group: what its shaders are specialised for. */
import type { Group } from '../merge/backend';
import { traitsOf } from '../recipe/methods';
import type { TensorParameters } from '../recipe/types';
import type { Overrides } from './pipelines';

export function groupOverrides(group: Group, parameters: readonly TensorParameters[]): Overrides {
  const { elects, keeps, of } = traitsOf(group.method);
  const flag = (on: boolean) => (on ? 1 : 0);
  return {
    MODELS: group.slots[0]!.inputs.length - 1,
    ALL_BF16: flag(group.slots.every((slot) => slot.inputs.every((dtype) => dtype === null || dtype === 'BF16'))),
    TASK_VECTORS: flag(of === 'task-vectors'),
    ELECTS: flag(elects),
    RESCALES: flag(keeps !== 'all' && parameters.some((p) => p.rescale)),
    DRAWS: flag(keeps === 'drawn'),
  };
}
