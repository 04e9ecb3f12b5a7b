import { describe, expect, it } from 'vitest';
import type { ErrorCode, WireError } from '../../../src/bytes/errors';
import type { CheckpointReason } from '../../../src/checkpoint/reasons';
import type { MalformedReason } from '../../../src/format/safetensors/malformed';
import type { ResultsReason } from '../../../src/recipe/results';
import type { TorchReason } from '../../../src/format/torch-bin/reasons';
import { describeError, MESSAGES } from '../../../src/ui/messages';
import { FILE_MESSAGES } from '../../../src/ui/messages/files';

const wire = (code: ErrorCode, reason: string, where: WireError['where'] = {}): WireError => ({ code, reason, message: 'for developers', where });

/** Every reason of the readers has its sentence, and no sentence is left over: the compiler checks it. */
type Reason = MalformedReason | TorchReason | ResultsReason | CheckpointReason | 'manifest-malformed' | 'too-many-files' | 'nothing-found';
const EVERY_REASON: Record<Reason, unknown> = FILE_MESSAGES;
type LeftOver = Exclude<keyof typeof FILE_MESSAGES, Reason>;
const NOTHING_LEFT_OVER: [LeftOver] extends [never] ? true : LeftOver = true;

describe('the catalogue', () => {
  it('has a title, a detail and an action for every reason, without holes', () => {
    expect([Object.keys(EVERY_REASON).length, NOTHING_LEFT_OVER]).toEqual([98, true]);
    const where = { file: 'sft/model.safetensors', tensor: 'w', model: 'm', expected: 4096, actual: 12, names: ['a', 'b'], line: 3 };
    for (const [code, reasons] of Object.entries(MESSAGES)) {
      for (const reason of Object.keys(reasons)) {
        const { title, detail, action } = describeError(wire(code as ErrorCode, reason, where));
        for (const sentence of [title, detail, action]) {
          expect(sentence, `${code} ${reason}`).toMatch(/\S/);
          expect(sentence, `${code} ${reason}`).not.toMatch(/undefined|unknown|\bnull\b|for developers/);
        }
      }
    }
  });

  it('gives file, tensor and both numbers of a mismatch', () => {
    const { title, detail } = describeError(wire('malformed-file', 'size-mismatch', { file: 'ct/a.safetensors', tensor: 'model.norm.weight', expected: 256, actual: 255 }));
    expect(title).toBe('ct/a.safetensors is not a valid safetensors file');
    expect(detail).toBe('Tensor model.norm.weight: Shape and dtype need 256 bytes; the file gives it 255 bytes.');
    const cut = describeError(wire('malformed-file', 'file-truncated', { file: 'x', expected: 4_976_698_672, actual: 3_121_446_912 }));
    expect(cut.detail.replace(/\s/g, ' ')).toBe('Its tensors end at 4 976 698 672 bytes (5.0 GB); the file has 3 121 446 912 bytes (3.1 GB).');
  });

  it('names the missing shards, the first six of them', () => {
    const names = Array.from({ length: 9 }, (_, i) => `model-0000${i}.safetensors`);
    const { detail } = describeError(wire('malformed-file', 'missing-shards', { file: 'x', expected: 12, actual: 3, names }));
    expect(detail).toContain('12 shards belong to this checkpoint, 3 are here');
    expect(detail).toContain('model-00005.safetensors and 3 more');
    expect(detail).not.toContain('model-00006');
  });

  it('says what a graphics card had no room for, beside what, and what was tried', () => {
    const { detail } = describeError(wire('out-of-memory', 'device-floor', { actual: 8_388_608, expected: 41_943_040 }));
    expect(detail.replace(/\s/g, ' ')).toBe(
      'The graphics card had no room for 8 388 608 bytes (8.4 MB) beside the 41 943 040 bytes (41.9 MB) that the studio has there, although tensors were taken in pieces of a sixteenth of the usual size.',
    );
    // Where the CPU has taken over, nobody is told to choose it.
    const left = describeError(wire('out-of-memory', 'device-left', { actual: 8_388_608, expected: 41_943_040 }));
    expect(left.detail).toMatch(/has there, not even for a small sample\.$/);
    expect(left.action).toBe('The CPU computes now. Close other tabs and programs that use the graphics card, then choose WebGPU in the header.');
  });

  it('a device that refuses work is not called lost, and no numbers are made up where memory is short', () => {
    const refused = describeError(wire('device-lost', 'refused', { actual: '[Buffer "own"] is too small' }));
    expect([refused.title, refused.detail]).toEqual(['The graphics device refused work', 'It is not relied on any more. What it said: [Buffer "own"] is too small']);
    expect(describeError(wire('device-lost', 'unknown')).detail).toBe('Its driver was reset, or the browser ended the process that talks to it.');
    expect(describeError(wire('out-of-memory', 'host-memory')).detail).toBe('The browser had no room for another array while it merged.');
    expect(describeError(wire('out-of-memory', 'host-memory', { file: 'a/b', expected: 8, actual: 5 })).detail).toBe('The browser had no room for 8 bytes of a/b, nor after reading ahead was halved to 5 bytes.');
  });

  it('calls a model by the name on its card', () => {
    const { title } = describeError(wire('invalid-recipe', 'base-is-model', { model: 'id7' }), (id) => (id === 'id7' ? 'Llama' : id));
    expect(title).toBe('Llama is base and model at once');
  });

  it("shows the developers' message for a reason it does not know, with what the kind of error allows", () => {
    expect(describeError(wire('destination', 'struck-by-lightning'))).toEqual({
      title: 'The destination cannot be written',
      detail: 'for developers',
      action: 'Choose another folder.',
    });
  });

  it('finds no reason in the prototype of an object', () => {
    expect(describeError(wire('internal', 'constructor')).detail).toBe('for developers');
    expect(describeError(wire('device-lost', 'toString')).detail).toBe('for developers');
  });

  it('shows hostile names as text: controls visible, long ones cut', () => {
    const { title } = describeError(wire('malformed-file', 'is-empty', { file: `a\u0000b\u202e${'x'.repeat(500)}` }));
    expect(title).toMatch(/^a\\u0000b\\u202ex+…x+ is empty$/);
    expect(title.length).toBeLessThan(220);
  });
});
