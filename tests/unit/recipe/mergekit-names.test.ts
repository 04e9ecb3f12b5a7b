import { describe, expect, it } from 'vitest';
import { matchModel } from '../../../src/recipe/mergekit';

const OPEN = [
  { id: '1', name: 'base', path: 'family/base' },
  { id: '2', name: 'runs/sft', path: 'family/runs/sft' },
  { id: '3', name: 'old/sft', path: 'family/old/sft' },
  { id: '4', name: 'meta-llama/Llama-2-7b-hf', path: 'hub/models--meta-llama--Llama-2-7b-hf/snapshots/01c7f73d771dfac7d292323805ebc428287df4f9' },
  { id: '5', name: 'org/ct@aaaaaaa', path: 'hub/models--org--ct/snapshots/aaaaaaa111' },
  { id: '6', name: 'org/ct@bbbbbbb', path: 'hub/models--org--ct/snapshots/bbbbbbb222' },
];

describe('a model path of a MergeKit file is the open checkpoint', () => {
  it.each([
    ['of that name', 'base', '1'],
    ['of that folder', 'family/old/sft', '3'],
    ['whose name ends the path', '/data/llm/base', '1'],
    ['whose name ends the path, a slash behind it', './base/', '1'],
    ['on Windows', 'D:\\llm\\base', '1'],
    ['that agrees in more parts', '/data/runs/sft', '2'],
    ['of a Hub cache, by the repository', 'meta-llama/Llama-2-7b-hf', '4'],
    ['of a Hub cache, by the last part', 'Llama-2-7b-hf', '4'],
    ['of a Hub cache, by the repository and a branch', 'meta-llama/Llama-2-7b-hf@main', '4'],
    ['of the revision', 'org/ct@bbbbbbb222', '6'],
    ['of the revision, by the last part', 'ct@aaaaaaa111', '5'],
    ['of a cache path', '/home/me/hub/models--org--ct/snapshots/aaaaaaa111', '5'],
  ])('%s', (_name, path, id) => {
    expect(matchModel(path, OPEN)?.id).toBe(id);
  });

  it.each([
    ['nothing agrees', 'other'],
    ['two agree alike', '/elsewhere/sft'],
    ['two revisions are open', 'org/ct'],
    ['another revision is open', 'org/ct@ccc'],
    ['only a part of a name agrees', 'a/not-base'],
    ['there is no path', ''],
  ])('and none where %s', (_name, path) => {
    expect(matchModel(path, OPEN)).toBeNull();
  });
});
