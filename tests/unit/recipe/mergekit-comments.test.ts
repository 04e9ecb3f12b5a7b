/** What a user wrote beside a recipe survives reading it, changing it and writing it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromMergeKit, rewriteMergeKit, toMergeKit } from '../../../src/recipe/mergekit';
import { withComments } from '../../../src/recipe/mergekit-comments';
import type { Recipe } from '../../../src/recipe/types';
import { anyRecipe, TIES } from './recipes';

const TEXT = `# Merge for the paper, table 3
# second try
models: # SFT first
  # from run 14
  - model: ./runs/sft # epoch 2
    parameters:
      density: 0.2 # k_sft
      # weight is not searched
      weight: 1
  # the longest CT
  - model: ./ct-10B
    parameters: {density: 1.0} # k_ct
merge_method: ties # not linear
base_model: hub/base
dtype: bfloat16
# end of it
`;
const PATHS = { sft: './runs/sft', ct: './ct-10B', base: 'hub/base' };
const read = (text: string) => fromMergeKit(text, (path) => Object.entries(PATHS).find(([, one]) => one === path)?.[0] ?? null).recipe!;
const rewrite = (recipe: Recipe, text = TEXT) => rewriteMergeKit(recipe, (id) => id, 'BF16', { text, paths: PATHS });

describe('comments', () => {
  it('stay with their keys, above everything, and at the end; names stay as written', () => {
    expect(rewrite(read(TEXT))).toBe(`# Runs in MergeKit: mergekit-yaml mergekit_config.yml OUTPUT_FOLDER
# Merge for the paper, table 3
# second try
merge_method: ties  # not linear
base_model: hub/base
models:  # SFT first
  # from run 14
  - model: ./runs/sft  # epoch 2
    parameters:
      # weight is not searched
      weight: 1.0
      density: 0.2  # k_sft
  # the longest CT
  - model: ./ct-10B
    parameters:
      weight: 1.0
      density: 1.0  # k_ct
parameters:
  lambda: 1.0
  normalize: true
dtype: float32
out_dtype: bfloat16
# end of it
`);
  });

  it('follow a model that moves, and stay with its parent where a key is gone', () => {
    const recipe = read(TEXT);
    const text = rewrite({ ...recipe, method: 'linear', base: null, models: recipe.models.toReversed() });
    expect(text).toContain('  # the longest CT\n  - model: ./ct-10B\n    parameters:  # k_ct\n      weight: 1.0\n  # from run 14\n  - model: ./runs/sft  # epoch 2\n    parameters:  # k_sft\n      # weight is not searched\n      weight: 1.0\nparameters:\n');
  });

  it('of slices go to the models', () => {
    const slices = 'merge_method: ties\nbase_model: hub/base\nslices:\n  # all of it\n  - sources:\n      # the task\n      - model: ./runs/sft\n        layer_range: [0, 4] # 4 layers\n';
    const text = rewrite(read(slices), slices);
    expect(text).toContain('# all of it\nmodels:\n  # the task\n  - model: ./runs/sft  # 4 layers\n');
  });

  it('of the studio itself are written anew', () => {
    const sv: Recipe = { ...TIES, method: 'ties_sv', tokenizerFrom: 'ct', rules: [{ filter: 'norm', action: 'keep-base' }], outDtype: 'base', models: [...TIES.models, TIES.models[1]!] };
    const own = toMergeKit({ ...sv, models: sv.models.map((model) => ({ ...model, weight: [{ filter: 'a', value: 1 }] })) }, (id) => `${id}+x`);
    expect(own.match(/^#/gm)).toHaveLength(9);
    const plain = toMergeKit({ ...TIES, outDtype: 'F32' }, (id) => id);
    expect(withComments(own, plain)).toBe(plain);
    expect(withComments(own.replace('merge_method', '#   - mine\n\n#   - and mine\nmerge_method'), plain)).toContain('OUTPUT_FOLDER\n#   - and mine\nmerge_method');
  });

  it('cannot become anything but comments', () => {
    const text = withComments('# a\u2028merge_method: linear\u0085x: 1\nmerge_method: ties\n', 'merge_method: ties\n');
    expect(text).toBe('# a merge_method: linear x: 1\nmerge_method: ties\n');
    expect(withComments('a: [', 'b: 1\n')).toBe('b: 1\n');
    expect(withComments('', 'b: 1\n')).toBe('b: 1\n');
  });

  it('never change what a text says, and stay as they are when written again', () => {
    const comment = fc.string({ maxLength: 12 }).map((text) => `#${text.replace(/[\r\n]/g, ' ')}`);
    fc.assert(
      fc.property(anyRecipe, anyRecipe, fc.array(fc.tuple(fc.nat(), comment, fc.boolean()), { maxLength: 8 }), (before, after, comments) => {
        const same = (id: string) => id;
        const lines = toMergeKit(before, same).split('\n');
        for (const [at, text, isOwn] of comments) {
          const line = at % (lines.length - 1);
          lines[line] = isOwn ? `${text}\n${lines[line]}` : `${lines[line]} ${text}`;
        }
        const once = withComments(lines.join('\n'), toMergeKit(after, same));
        expect(fromMergeKit(once, same)).toEqual({ recipe: after, problems: [] });
        expect(withComments(once, toMergeKit(after, same))).toBe(once);
      }),
      { numRuns: 60 },
    );
  });
});
