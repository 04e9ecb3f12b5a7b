/** Values of an adapter formed on this thread: where a device has no room for them, or would wait longer for its answer. */
import type { AdaptRequest } from '../merge/adapting';
import { Pace } from '../reference/pace';
import { adapt } from './adapt';

/** The bytes of `request` in F32, the bits of every backend; other events get their turn now and then. */
export function formOnHost(request: AdaptRequest): Promise<Uint8Array<ArrayBuffer>> {
  const pace = new Pace(undefined);
  return adapt(request, () => pace.pause());
}
