import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { YAML_MESSAGES } from '../../../src/ui/messages/yaml';
import { readDraft } from '../../../src/state/recipe-text';
import { problemLines } from '../../../src/ui/recipe/yaml-draft';

const OPEN = [
  { id: '1', name: 'base' },
  { id: '2', name: 'sft' },
  { id: '3', name: 'ct-x' },
].map((one) => ({ ...one, path: one.name, tensors: [] }));
const VALID = `merge_method: ties
base_model: hub/base
models:
  - model: ./runs/sft
    parameters: {weight: 1, density: 0.2}
  - model: ct-x
    parameters: {weight: 1, density: 1}
`;
const sentences = (text: string) => problemLines(readDraft(text, OPEN), (id) => OPEN.find((one) => one.id === id)?.name ?? id);

describe('a draft of the YAML', () => {
  it('is a recipe of the open checkpoints, found by the last part of a path', () => {
    const { recipe, problems } = readDraft(VALID, OPEN);
    expect(problems).toEqual([]);
    expect([recipe!.method, recipe!.base, recipe!.models]).toEqual(['ties', '1', [{ model: '2', weight: 1, density: 0.2 }, { model: '3', weight: 1, density: 1 }]]);
  });

  it.each([
    ['a density out of its range', VALID.replace('0.2', '-0.5'), /^Line 5: The density -0\.5 is not in .*For sft it has to be/],
    ['a checkpoint that is not open', VALID.replace('ct-x', 'ct-y'), /^Line 6: ct-y is not open\./],
    ['another method', VALID.replace('ties', 'passthrough'), /^Line 1: merge_method passthrough is not supported\. Known are linear/],
    ['text that is not YAML', VALID.replace('0.2}', '0.2'), /^Line 6: This is not YAML\./],
  ])('names %s at its line and gives no recipe', (_, text, sentence) => {
    expect(readDraft(text, OPEN).recipe).toBeNull();
    const [first] = sentences(text);
    expect(first!.severity).toBe('error');
    expect(first!.text).toMatch(sentence);
  });

  it('warns of a key it does not read and is a recipe all the same', () => {
    const text = `${VALID}slurp: 3\n`;
    expect(readDraft(text, OPEN).recipe).not.toBeNull();
    expect(sentences(text)).toEqual([{ severity: 'warning', text: 'Line 8: slurp is not read. The studio knows no such parameter, so it changes nothing. Check the spelling, or leave it.' }]);
  });

  it('has a sentence for every reason that the readers give', () => {
    const source = ['mergekit-read', 'mergekit-forms', 'mergekit-tokenizer', 'mergekit-choices', 'mergekit-names', 'yaml-read', 'yaml-parse'].map((name) => readFileSync(`src/recipe/${name}.ts`, 'utf8')).join('\n');
    const given = new Set([
      ...[...source.matchAll(/\.(?:error|warn)\('([a-z0-9-]+)'/g)].map((found) => found[1]!),
      ...[...source.matchAll(/reason: '([a-z-]+)'/g)].map((found) => found[1]!),
    ]);
    expect([...given].sort()).toEqual(Object.keys(YAML_MESSAGES).sort());
  });
});
