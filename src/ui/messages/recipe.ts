/** Sentences for recipes without a meaning: `invalid-recipe`. */
import type { Template } from './words';

/** The parameters as the recipe panel calls them. */
const CALLED: Readonly<Record<string, string>> = { weight: 'The weight', density: 'The density', lambda: 'Lambda', normalize: 'Normalise', slack: 'The slack', seed: 'The seed', gamma: 'Gamma', epsilon: 'Epsilon', topk: 'select_topk' };
const called = (name: string) => CALLED[name] ?? name;

const outOfRange: Template = ({ names, model, expected, actual }) => ({
  title: `${called(names)} ${actual} is not ${expected === 'a number' ? 'a number' : `in ${expected}`}`,
  detail: model === 'a model' ? `It has to be ${expected}.` : `For ${model} it has to be ${expected}.`,
  action: 'Type another value, or reset it.',
});
const malformedSetting: Template = ({ names }) => ({
  title: `${called(names)} is not a setting`,
  detail: 'A setting is a number, a list of numbers along the layers, or a list of filters with values.',
  action: 'Write it as one of the three, or make it scalar.',
});
const unreadable = (detail: string): Template => () => ({ title: 'This recipe cannot be read', detail, action: 'Copy the whole link or file again, or start from a preset.' });

export const RECIPE_MESSAGES = {
  'models-empty': () => ({ title: 'No model takes part', detail: 'Every open checkpoint is the base or not merged.', action: 'Give at least one checkpoint the role SFT or CT; one alone can be scaled by a weight, under Presets.' }),
  'models-too-many': ({ expected, actual }) => ({ title: `${actual} models are too many`, detail: `This method merges at most ${expected} at once.`, action: 'Set some of them to "not merged".' }),
  'models-too-few': ({ expected, actual }) => ({ title: `${actual} model is too few`, detail: `This method merges at least ${expected}.`, action: 'Give another checkpoint the role SFT or CT, or choose another method.' }),
  'checkpoint-not-open': ({ model }) => ({ title: `${model} is not open`, detail: 'The recipe names it.', action: 'Drop it again, or choose another in its place.' }),
  'base-missing': () => ({
    title: 'The base is missing',
    detail: 'Task vectors are differences from the model that all others were trained from.',
    action: 'Drop the base, or give a checkpoint the role Base.',
  }),
  'tokenizer-of-other-rows': ({ model, actual }) => ({ title: `The tokenizer of ${model} does not fit the rows`, detail: `Rows are matched by token and come in the order of the base; ${actual} tokens of this tokenizer have other ids there.`, action: 'Choose the tokenizer of the base, or match rows by id in the table of differences.' }),
  'adapter-as-base': ({ model }) => ({ title: `${model} is an adapter`, detail: 'It holds changes to a base, not the weights of one.', action: 'Give the role Base to the checkpoint it was trained on.' }),
  'adapter-without-base': ({ model }) => ({ title: `${model} needs its base`, detail: 'An adapter holds changes only; its tensors exist on a base.', action: 'Drop the checkpoint it was trained on and give it the role Base.' }),
  'base-is-model': ({ model }) => ({ title: `${model} is base and model at once`, detail: 'Its task vector would be zero everywhere.', action: 'Give it one role.' }),
  'weight-not-finite': outOfRange,
  'density-out-of-range': outOfRange,
  'lambda-not-finite': outOfRange,
  'slack-out-of-range': outOfRange,
  'normalize-invalid': outOfRange,
  'seed-out-of-range': outOfRange,
  't-out-of-range': outOfRange,
  'gamma-out-of-range': outOfRange,
  'epsilon-out-of-range': outOfRange,
  'topk-out-of-range': outOfRange,
  'weights-sum-zero': ({ tensor, actual }) => ({
    title: 'The weights sum to 0',
    detail: `A weighted average divides by their sum; ${tensor === 'the tensor' ? 'they are' : `for ${tensor} they are`} ${actual}.`,
    action: 'Change a weight, or turn normalising off.',
  }),
  'prefer-not-a-model': ({ model }) => ({ title: 'The slack prefers a model that is not merged', detail: `It prefers ${model}.`, action: 'Choose a model of the recipe under Slack.' }),
  'prefer-ambiguous': ({ model, actual }) => ({ title: `${model} is listed ${actual} times`, detail: 'The slack cannot prefer one of them.', action: 'List it once, or prefer another model.' }),
  'rule-from-missing': ({ actual }) => ({ title: `The rule for ${actual} takes from no model`, detail: 'A rule that takes a tensor whole needs to know from where.', action: 'Choose the model in the rule, or remove it.' }),
  'setting-mixed': malformedSetting,
  'gradient-empty': malformedSetting,
  'sources-malformed': unreadable('The list of its sources was changed.'),
  'recipe-too-long': unreadable('It is far longer than any recipe.'),
  'recipe-not-json': unreadable('It is cut off or was changed on the way.'),
  'recipe-version': ({ expected, actual }) => ({ title: 'This recipe is of another version', detail: `It has version ${actual}, this studio reads ${expected}.`, action: 'Reload the page to get the newest studio.' }),
  'recipe-malformed': ({ names }) => ({ title: 'This recipe cannot be read', detail: `${names} is missing, foreign or of the wrong type.`, action: 'Copy the whole link or file again, or start from a preset.' }),
} satisfies Record<string, Template>;
