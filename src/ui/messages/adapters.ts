/** Sentences for adapters that are refused: `malformed-file`. What does not fit a base is in recipe.ts. */
import type { Message, Template } from './words';

const MERGE_FIRST = 'Merge the adapter into its base with PEFT (merge_and_unload, then save_pretrained) and drop that folder.';

function refused(title: string, detail: (words: Parameters<Template>[0]) => string, action = MERGE_FIRST): Template {
  return (words): Message => ({ title: `${words.file} ${title}`, detail: detail(words), action });
}

export const ADAPTER_MESSAGES = {
  'adapter-config-missing': refused('has no adapter_config.json beside it', () => 'It holds the factors of a LoRA adapter; their scale is in that file.', 'Drop the adapter with its adapter_config.json, in one folder.'),
  'adapter-config-unreadable': refused('cannot be read', () => 'It is no JSON object, or too large.', 'Fetch the adapter again.'),
  'adapter-unsupported': refused('is of an adapter that is not plain LoRA', ({ actual }) => `The studio does not apply ${actual}.`),
  'adapter-tensors-unknown': refused('holds more than a plain LoRA adapter', ({ names }) => `The studio does not know what to do with ${names}.`),
  'adapter-incomplete': refused('lacks factors', ({ names }) => `Of lora_A and lora_B only one is there for ${names}.`, 'Fetch the adapter again.'),
  'adapter-shape': refused('contradicts itself', ({ names, expected, actual }) => `The factors of ${names} have ranks ${expected} and ${actual}.`, 'Fetch the adapter again.'),
} satisfies Record<string, Template>;
