/** The tests' device, without room for some buffers, as a real one says it. */
import { device } from './adapter';

/** Buffers asked for so far; those numbered `from` to `end` are not to be had. */
export const room = { made: 0, from: Infinity, end: Infinity };
let refuses = false;
export const cramped = new Proxy(device, {
  get(target, key) {
    if (key === 'createBuffer') {
      return (descriptor: GPUBufferDescriptor) => {
        refuses = room.made >= room.from && room.made < room.end;
        room.made++;
        return target.createBuffer(descriptor);
      };
    }
    if (key === 'popErrorScope') {
      return async () => {
        const refused = refuses;
        refuses = false;
        const error = await target.popErrorScope();
        return refused ? { message: 'no room' } : error;
      };
    }
    const value: unknown = Reflect.get(target, key, target);
    return typeof value === 'function' ? (value.bind(target) as unknown) : value;
  },
});
