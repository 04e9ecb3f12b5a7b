/** What buffers are made for: GPUBufferUsage by number, which not every place that loads the engine has by name. */
const MAP_READ = 0x1;
const MAP_WRITE = 0x2;
const COPY_SRC = 0x4;
const COPY_DST = 0x8;
const INDIRECT_USE = 0x100;

/** Read and written by passes, filled and copied by the host. */
export const STORAGE = 0x80 | COPY_DST | COPY_SRC;
/** The same with arguments of indirect dispatches. */
export const INDIRECT = STORAGE | INDIRECT_USE;
/** For reading on the host. */
export const READBACK = MAP_READ | COPY_DST;
/** For uploads that are copied on the device. */
export const STAGING = MAP_WRITE | COPY_SRC;
/** Storage bindings start at multiples of this on every adapter. */
export const ALIGN = 256;
