/** The override constants of a group: what its shaders are specialised for. */
import type { Group } from '../merge/backend';
import { traitsOf } from '../recipe/methods';
import type { TensorParameters } from '../recipe/types';
import type { MergedDtype } from '../bytes/dtypes';
import { areOrdinary } from './edges';
import { DTYPE_CODE, MIXED } from './layout';
import type { Overrides } from './pipelines';

export function groupOverrides(group: Group, parameters: readonly TensorParameters[]): Overrides {
  const { elects, keeps, of } = traitsOf(group.method);
  const flag = (on: boolean) => (on ? 1 : 0);
  return {
    MODELS: group.slots[0]!.inputs.length - 1,
    IN_DTYPE: commonDtype(group.slots.flatMap(({ inputs }) => inputs.filter((dtype) => dtype !== null))),
    OUT_DTYPE: commonDtype(group.slots.map(({ outDtype }) => outDtype)),
    TASK_VECTORS: flag(of === 'task-vectors'),
    ELECTS: flag(elects),
    RESCALES: flag(parameters.some((p) => p.factor !== undefined || (keeps !== 'all' && p.rescale))),
    DRAWS: flag(keeps === 'drawn'),
    EXACT: flag(!parameters.every(areOrdinary)),
  };
}

/** Code of the dtype that all of them have, or MIXED. */
function commonDtype(dtypes: readonly MergedDtype[]): number {
  const [first] = dtypes;
  return first !== undefined && dtypes.every((dtype) => dtype === first) ? DTYPE_CODE[first] : MIXED;
}
