/** Rule: faults.md row 29 - what engines say when there is no memory is told from a defect of the studio. */
import { describe, expect, it } from 'vitest';
import { asStudioError } from '../../../src/bytes/errors';

describe('a RangeError', () => {
  it.each(['Array buffer allocation failed', 'WebAssembly.Memory(): could not allocate memory', 'WebAssembly.Instance(): Out of memory: Cannot allocate Wasm memory for new instance'])('%s is a lack of memory', (message) => {
    expect(asStudioError(new RangeError(message))).toMatchObject({ code: 'out-of-memory', reason: 'host-memory' });
  });
  it.each(['read [0, 5) of a, 4 bytes', 'Offset is outside the bounds of the DataView', 'WebAssembly.Memory(): Argument 0 must be a memory descriptor'])('%s is a defect', (message) => {
    expect(asStudioError(new RangeError(message))).toMatchObject({ code: 'internal', reason: 'unexpected' });
  });
});
