/** What no backend decides by itself is decided on the host, for all of them alike: weights from angles, and what takes part by ranks. */
import { withAngles } from './angles';
import type { Backend } from './backend';
import { withMasks } from './masks/backend';

export function withHost<B extends Backend>(backend: B): B {
  return withMasks(withAngles(backend));
}
