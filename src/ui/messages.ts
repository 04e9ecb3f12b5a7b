/** The catalogue: an error as a title, what happened, and what to do. Every sentence the page says about an error is here. */
import type { ErrorCode, ErrorWhere, WireError } from '../bytes/errors';
import { FILE_MESSAGES } from './messages/files';
import { RECIPE_MESSAGES } from './messages/recipe';
import { DEVICE_REPLACED, RUN_MESSAGES } from './messages/run';
import { wordsOf, type Message, type Template } from './messages/words';
import { YAML_MESSAGES } from './messages/yaml';

export type { Message } from './messages/words';

/** By reason, code by code. A test holds `malformed-file` against the reasons that the readers know. */
export const MESSAGES: Readonly<Partial<Record<ErrorCode, Readonly<Record<string, Template>>>>> = {
  'malformed-file': FILE_MESSAGES,
  'invalid-recipe': { ...RECIPE_MESSAGES, ...YAML_MESSAGES },
  ...RUN_MESSAGES,
};

/** For a reason the catalogue does not know: the kind of error, with the developers' message as its detail. */
const BY_CODE: Readonly<Record<ErrorCode, { readonly title: string; readonly action: string }>> = {
  'malformed-file': { title: 'This file cannot be read', action: 'Download it again, or drop another.' },
  'incompatible-checkpoints': { title: 'These checkpoints do not fit together', action: 'Look at the table beside the checkpoints and decide row by row.' },
  'invalid-recipe': { title: 'The recipe has no meaning as it stands', action: 'Undo the last change, or choose a preset.' },
  'gpu-unavailable': { title: 'WebGPU cannot be used', action: 'The CPU does the same work, slower. Click the backend in the header to try again.' },
  'device-lost': { title: 'The graphics device was lost', action: DEVICE_REPLACED },
  'out-of-memory': { title: 'Not enough memory', action: 'Close other tabs and programs that use the graphics card, then try again, or choose the CPU.' },
  'source-changed': { title: 'A source file changed', action: 'Leave the files alone, drop the folder again and start the merge again.' },
  destination: { title: 'The destination cannot be written', action: 'Choose another folder.' },
  'disk-full': { title: 'The disk is full', action: 'Free some room or choose another destination, then start the merge again.' },
  cancelled: { title: 'Cancelled', action: 'Nothing further is needed.' },
  internal: { title: 'Something went wrong inside the studio', action: 'Reload the page and try again. If it happens again, report it with the line above.' },
};

/** The error in words. `nameOf` turns a checkpoint id into the name on its card. */
export function describeError(error: WireError, nameOf: (id: string) => string = (id) => id): Message {
  const words = wordsOf(named(error.where, nameOf));
  const known = MESSAGES[error.code];
  const template = known !== undefined && Object.hasOwn(known, error.reason) ? known[error.reason] : undefined;
  return template === undefined ? { ...BY_CODE[error.code], detail: error.message } : template(words);
}

function named(where: ErrorWhere, nameOf: (id: string) => string): ErrorWhere {
  return where.model === undefined ? where : { ...where, model: nameOf(where.model) };
}
