/** Sentences for what a MergeKit file says: `invalid-recipe` at a line. Errors keep the recipe from being applied, the rest tells what was read differently. */
import type { Template } from './words';

const wrong = (title: (names: string) => string, detail: string, action: string): Template => ({ names }) => ({ title: title(names), detail, action });

export const YAML_MESSAGES = {
  'yaml-too-long': ({ expected, actual }) => ({ title: 'The text is too long', detail: `It has ${actual} characters; ${expected} are read.`, action: 'Paste the recipe alone.' }),
  'yaml-too-deep': ({ expected }) => ({ title: 'The text is nested too deep', detail: `At most ${expected} levels or signs of structure are read at one place.`, action: 'Write it plainly, one key a line.' }),
  'yaml-syntax': () => ({ title: 'This is not YAML', detail: 'An indent, a colon or a bracket is out of place, or a second document follows.', action: 'Mend this line or the one above it.' }),
  'yaml-key': wrong((names) => `A key of ${names} is not text`, 'Keys are names such as density.', 'Write the name of a parameter.'),
  'yaml-alias': wrong((names) => `${names} is a YAML alias`, 'Aliases (*name) are not read.', 'Write the value out.'),
  'wrong-type': ({ names, expected }) => ({ title: `${names} is not ${expected}`, detail: 'It is read as nothing else.', action: 'Write it in that form.' }),
  'value-unknown': ({ names, actual, expected }) => ({ title: `${names} ${actual} is not known`, detail: `Known are ${expected}.`, action: 'Write one of them.' }),
  'unknown-key': wrong((names) => `${names} is not read`, 'The studio knows no such parameter, so it changes nothing.', 'Check the spelling, or leave it.'),
  'form-unsupported': wrong((names) => `${names} is not read`, 'It merges the parts of a model by recipes of their own; the studio has one recipe for the whole.', 'List the models under models.'),
  'forms-both': wrong((names) => `${names} are both there`, 'A file lists its models in one of the two ways.', 'Remove one of them.'),
  'layer-range-malformed': ({ expected }) => ({ title: 'layer_range is no pair of layers', detail: `It is written ${expected}, the end not included.`, action: 'Write it so.' }),
  'layers-differ': ({ expected, actual }) => ({ title: `layer_range ${actual} stands beside ${expected}`, detail: 'Layers of different places would be merged with each other; the studio merges each layer with its own.', action: 'Give all sources of the slice one range.' }),
  'layers-not-whole': ({ expected, actual }) => ({ title: `The slice begins at layer ${actual} instead of ${expected}`, detail: 'Layers left out, repeated or moved make another network; the studio merges whole models.', action: 'Let the slices follow each other from layer 0 on.' }),
  'layers-not-all': ({ expected, actual, model }) => ({ title: `The slices end at layer ${actual}`, detail: `${model} has ${expected} layers, and whole models are merged.`, action: 'Let the last slice end there.' }),
  'slice-models-differ': ({ expected, actual }) => ({ title: 'The slice merges other models', detail: `It names ${actual}; the first slice names ${expected}.`, action: 'Merge the same models in every slice, in the same order.' }),
  'slice-parameters-differ': () => ({ title: 'The slice has parameters of its own', detail: 'One recipe holds for all layers; it may differ along them by gradients and filters.', action: 'Write the parameters as gradients or filters under models.' }),
  'slice-gradient': () => ({ title: 'A gradient runs over each slice alone', detail: 'With several slices it begins anew in each of them, which one curve over all layers cannot say.', action: 'List the models under models, with one gradient over all layers.' }),
  'tokenizer-not-rebuilt': wrong((names) => `${names} does not rebuild embeddings`, 'Tokenizer files are copied as they are, and rows are merged by number.', 'Leave it where the tokenizers agree.'),
  'tokenizer-union': wrong((names) => `${names} union is not built`, "Vocabularies are not joined; the base's tokenizer files are kept.", 'Name the model with the largest vocabulary, and keep its rows where the checkpoints differ.'),
  'tokenizer-twice': wrong((names) => `${names} are both there`, 'tokenizer.source is read, the other is not.', 'Remove one of them.'),
  'tokenizer-not-edited': wrong((names) => `${names} is not read`, 'Tokenizer files are copied as they are, and embeddings keep their rows.', 'Change the tokenizer before the merge, or after it.'),
  'chat-template-kept': () => ({ title: 'chat_template is not read', detail: 'The export carries the chat template of the model whose tokenizer it carries.', action: 'Choose that model under Output.' }),
  'tokenizer-unsupported': ({ names, actual }) => ({ title: `${names} ${actual} is no open checkpoint`, detail: "The base's tokenizer files are kept.", action: 'Name base or an open checkpoint.' }),
  'own-version': ({ expected, actual }) => ({ title: 'These settings are of another version of the studio', detail: `They have version ${actual}, this studio reads ${expected}.`, action: 'Reload the page to get the newest studio.' }),
  'method-missing': ({ expected }) => ({ title: 'merge_method is missing', detail: `Known are ${expected}.`, action: 'Add a line such as merge_method: ties.' }),
  'method-unsupported': ({ actual, expected }) => ({ title: `merge_method ${actual} is not supported`, detail: `Known are ${expected}.`, action: 'Write one of them.' }),
  'slerp-base': ({ model }) => ({ title: `${model} is base_model, and none of the two models`, detail: 'SLERP goes from base_model (t = 0) to the other model.', action: 'List it under models, or name one of them.' }),
  'model-missing': () => ({ title: 'An entry of models names no model', detail: 'Each has the key model with a path or name.', action: 'Add it, or remove the entry.' }),
  'model-not-open': ({ model }) => ({ title: `${model} is not open`, detail: 'The last part of a path has to be the name on a card.', action: 'Drop that checkpoint, or write the name of an open one.' }),
  'base-listed': ({ model }) => ({ title: `${model} is the base and a model`, detail: 'The base has no task vector, so it is left out of the models.', action: 'Remove the entry to say the same.' }),
  'rule-action-missing': () => ({ title: 'A rule has no action', detail: 'It is merge, keep-base or take.', action: 'Add the action, or remove the rule.' }),
  'dtype-computed-in-f32': ({ actual }) => ({ title: `dtype ${actual} is the output only`, detail: 'The studio computes in float32 and rounds once at the end.', action: 'Nothing has to be done.' }),
} satisfies Record<string, Template>;
