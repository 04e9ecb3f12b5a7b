/** fitCheckpoints: the rows of the preflight table (merging.md sections 8 and 10; faults.md A 15 and 19). */
import { describe, expect, it } from 'vitest';
import { fitCheckpoints } from '../../../src/checkpoint/fit';
import { checkpointOf } from './folder';

const EMBED = 'model.embed_tokens.weight';
const Q = 'model.layers.0.self_attn.q_proj.weight';
const llama = { [EMBED]: [10, 4], [Q]: [4, 4], 'lm_head.weight': [10, 4] };
const base = checkpointOf('base', llama);
const fit = (tensors: Parameters<typeof checkpointOf>[1], against = base) => fitCheckpoints(against, [checkpointOf('m', tensors)]);

describe('fitCheckpoints', () => {
  it('finds nothing where names, shapes and floating dtypes fit', () => {
    expect(fit(llama)).toEqual([]);
    expect(fit({ ...llama, [Q]: { dtype: 'F64', shape: [4, 4] } })).toEqual([]);
  });

  it('lists what a model lacks and what only it has', () => {
    expect(fit({ [EMBED]: [10, 4], 'lm_head.weight': [10, 4], extra: [3] })).toEqual([
      { kind: 'missing-in-model', severity: 'warning', tensor: Q, model: 'm', baseShape: [4, 4] },
      { kind: 'only-in-model', severity: 'warning', tensor: 'extra', model: 'm', modelShape: [3], dtype: 'BF16' },
    ]);
  });

  it('lets the embedding stand in for a tied head, with its own difference of rows', () => {
    expect(fit({ [EMBED]: [12, 4], [Q]: [4, 4] })).toEqual([
      { kind: 'rows-differ', severity: 'warning', tensor: EMBED, model: 'm', baseShape: [10, 4], modelShape: [12, 4] },
      { kind: 'tied-head', severity: 'info', tensor: 'lm_head.weight', model: 'm', baseShape: [10, 4], modelShape: [12, 4] },
      { kind: 'rows-differ', severity: 'warning', tensor: 'lm_head.weight', model: 'm', baseShape: [10, 4], modelShape: [12, 4] },
    ]);
    // A bias of its own does not make a head.
    expect(fit({ [EMBED]: [10, 4], [Q]: [4, 4], 'lm_head.bias': [10] }).map(({ kind }) => kind)).toEqual(['tied-head', 'only-in-model']);
    // Factorised embeddings are narrower than the head and cannot stand in.
    expect(fit({ [EMBED]: [10, 2], [Q]: [4, 4] }).map(({ kind, tensor }) => [kind, tensor])).toEqual([['shape-differs', EMBED], ['missing-in-model', 'lm_head.weight']]);
    expect(fit({ [EMBED]: [10, 4], [Q]: [4, 4], 'embed_out.weight': [10, 4] }).map(({ kind }) => kind)).toEqual(['missing-in-model', 'only-in-model']);
  });

  it('refuses every difference of shape that is not rows of the vocabulary', () => {
    expect(fit({ ...llama, [Q]: [6, 4] })).toEqual([{ kind: 'shape-differs', severity: 'refusal', tensor: Q, model: 'm', baseShape: [4, 4], modelShape: [6, 4] }]);
    expect(fit({ ...llama, [EMBED]: [10, 6] }).map(({ kind }) => kind)).toEqual(['shape-differs']);
    expect(fit({ ...llama, [EMBED]: [12, 6] }).map(({ kind }) => kind)).toEqual(['shape-differs']);
    expect(fit({ ...llama, [EMBED]: [40] }).map(({ kind }) => kind)).toEqual(['shape-differs']);
    const gpt = checkpointOf('gpt', { 'wpe.weight': [8, 4] });
    expect(fit({ 'wpe.weight': [16, 4] }, gpt).map(({ kind }) => kind)).toEqual(['shape-differs']);
  });

  it('refuses FP8, FP4 and packed tensors by name, in the base once and in each model', () => {
    expect(fit({ ...llama, [Q]: { dtype: 'F8_E4M3', shape: [4, 4] } })).toEqual([{ kind: 'dtype-unsupported', severity: 'refusal', tensor: Q, model: 'm', modelShape: [4, 4], dtype: 'F8_E4M3' }]);
    expect(fit({ ...llama, [Q]: { dtype: 'U8', shape: [8] } }).map(({ kind, model }) => [kind, model])).toEqual([['dtype-unsupported', 'm']]);
    const odd = checkpointOf('odd', { a: { dtype: 'F4', shape: [2] }, 'p.weight': [2], 'q.weight': { dtype: 'I8', shape: [2] } });
    const issues = fitCheckpoints(odd, [odd, odd]);
    expect(issues.map(({ kind, tensor, model, dtype }) => [kind, tensor, model, dtype])).toEqual([
      ['dtype-unsupported', 'a', 'odd', 'F4'],
      ['dtype-unsupported', 'q.weight', 'odd', 'I8'],
    ]);
  });

  it.each([
    ['GPTQ', { 'q.g_idx': { dtype: 'I32', shape: [4] }, 'q.qweight': { dtype: 'I32', shape: [2] }, 'q.qzeros': { dtype: 'I32', shape: [1] }, 'q.scales': [4] }, 'q.g_idx'],
    ['AWQ', { 'q.qweight': { dtype: 'I32', shape: [2] }, 'q.qzeros': { dtype: 'I32', shape: [1] }, 'q.scales': [4] }, 'q.qweight'],
    ['compressed-tensors', { 'q.weight_packed': { dtype: 'I32', shape: [2] }, 'q.weight_scale': [4] }, 'q.weight_packed'],
    ['bitsandbytes 4-bit', { 'q.weight': { dtype: 'U8', shape: [8, 1] }, 'q.weight.absmax': { dtype: 'F32', shape: [1] } }, 'q.weight.absmax'],
    ['bitsandbytes 8-bit', { 'q.SCB': { dtype: 'F32', shape: [4] }, 'q.weight': { dtype: 'I8', shape: [4, 4] } }, 'q.SCB'],
    ['MXFP4', { 'experts.down_proj_blocks': { dtype: 'U8', shape: [2, 4] }, 'experts.down_proj_scales': { dtype: 'U8', shape: [2] } }, 'experts.down_proj_blocks'],
    ['FP8', { 'norm.weight': [4], 'p.weight': { dtype: 'F8_E4M3', shape: [4] }, 'q.weight': { dtype: 'F8_E4M3', shape: [4] }, 'q.weight_scale_inv': { dtype: 'F32', shape: [1] } }, 'p.weight'],
  ] as const)('refuses a checkpoint of %s once, by its scheme, whatever else differs', (scheme, tensors, first) => {
    const refusal = (model: string) => ({ kind: 'quantised', severity: 'refusal', tensor: first, model, dtype: scheme });
    expect(fit(tensors as never)).toEqual([refusal('m')]);
    const packed = checkpointOf('packed', tensors as never);
    expect(fitCheckpoints(packed, [packed, base])).toEqual([refusal('packed')]);
  });

  it('takes scales in floating point and a single 8-bit tensor for what they are', () => {
    const plain = { 'a.weight': [4], 'b.weight': [4], 'vision_scales': [4], 'c.weight': { dtype: 'F8_E4M3', shape: [4] } } as const;
    expect(fit(plain as never, checkpointOf('base', plain as never)).map(({ kind }) => kind)).toEqual(['dtype-unsupported']);
  });

  it('lists integer, boolean and complex tensors once when the headers agree, and asks when they do not', () => {
    const buffers = checkpointOf('base', { ids: { dtype: 'I64', shape: [1, 8] }, mask: { dtype: 'BOOL', shape: [8] }, freqs: { dtype: 'C64', shape: [8] } });
    expect(fitCheckpoints(buffers, [buffers, buffers])).toEqual([
      { kind: 'integer-copied', severity: 'info', tensor: 'ids', model: 'base', baseShape: [1, 8], dtype: 'I64' },
      { kind: 'integer-copied', severity: 'info', tensor: 'mask', model: 'base', baseShape: [8], dtype: 'BOOL' },
      { kind: 'integer-copied', severity: 'info', tensor: 'freqs', model: 'base', baseShape: [8], dtype: 'C64' },
    ]);
    expect(fit({ ids: { dtype: 'I64', shape: [1, 16] }, mask: { dtype: 'U8', shape: [8] } }, buffers)).toEqual([
      { kind: 'integer-differs', severity: 'refusal', tensor: 'ids', model: 'm', baseShape: [1, 8], modelShape: [1, 16], dtype: 'I64' },
      { kind: 'integer-differs', severity: 'refusal', tensor: 'mask', model: 'm', baseShape: [8], modelShape: [8], dtype: 'U8' },
      { kind: 'missing-in-model', severity: 'info', tensor: 'freqs', model: 'm', baseShape: [8], dtype: 'C64' },
    ]);
  });
});
