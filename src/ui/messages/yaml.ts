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
  'form-unsupported': wrong((names) => `${names} is not read`, 'It puts a model together from layers; the studio merges whole models.', 'List the models under models.'),
  'tokenizer-not-rebuilt': wrong((names) => `${names} does not rebuild embeddings`, 'Tokenizer files are copied as they are, and rows are merged by number.', 'Leave it where the tokenizers agree.'),
  'tokenizer-unsupported': ({ actual }) => ({ title: `tokenizer_source ${actual} is no open checkpoint`, detail: "The base's tokenizer files are kept.", action: 'Name base or an open checkpoint.' }),
  'own-version': ({ expected, actual }) => ({ title: 'These settings are of another version of the studio', detail: `They have version ${actual}, this studio reads ${expected}.`, action: 'Reload the page to get the newest studio.' }),
  'method-missing': ({ expected }) => ({ title: 'merge_method is missing', detail: `Known are ${expected}.`, action: 'Add a line such as merge_method: ties.' }),
  'method-unsupported': ({ actual, expected }) => ({ title: `merge_method ${actual} is not supported`, detail: `Known are ${expected}.`, action: 'Write one of them.' }),
  'model-missing': () => ({ title: 'An entry of models names no model', detail: 'Each has the key model with a path or name.', action: 'Add it, or remove the entry.' }),
  'model-not-open': ({ model }) => ({ title: `${model} is not open`, detail: 'The last part of a path has to be the name on a card.', action: 'Drop that checkpoint, or write the name of an open one.' }),
  'base-listed': ({ model }) => ({ title: `${model} is the base and a model`, detail: 'The base has no task vector, so it is left out of the models.', action: 'Remove the entry to say the same.' }),
  'rule-action-missing': () => ({ title: 'A rule has no action', detail: 'It is merge, keep-base or take.', action: 'Add the action, or remove the rule.' }),
  'dtype-computed-in-f32': ({ actual }) => ({ title: `dtype ${actual} is the output only`, detail: 'The studio computes in float32 and rounds once at the end.', action: 'Nothing has to be done.' }),
} satisfies Record<string, Template>;
