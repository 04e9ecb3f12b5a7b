/** How the model card says to make the merge again: in the studio, on the command line, with MergeKit. */
import { traitsOf } from '../recipe/methods';
import { codeBlock, INVISIBLE } from './markdown';
import { modelPath } from './sources';
import type { ExportInput } from './types';

export const RECIPE_FILE = 'mergekit_config.yml';

/** Paragraphs and code blocks below the heading. Fixed words but for names, which are quoted for a shell. */
export function reproduceSections(input: ExportInput): string[] {
  const ties = traitsOf(input.recipe.method).elects
    ? ' Where several values share the threshold of a density, MergeKit keeps some of them in an order of its own; this merge keeps the first.'
    : '';
  return [
    `In the studio: drop the source checkpoints and this folder, and press *Reopen its recipe* on its card; *Verify* merges again and compares every value. The same sources and recipe give the same bytes on the same backend and graphics adapter.`,
    'On the command line of the studio, beside this folder:',
    codeBlock('sh', commandLine(input)),
    'With `verify` for `merge`, and this folder for `again`, it compares every value and writes nothing.',
    `With MergeKit, as far as it can express the recipe; the comments at the head of \`${RECIPE_FILE}\` say what its result lacks.${ties}`,
    codeBlock('sh', `mergekit-yaml ${RECIPE_FILE} again-mergekit`),
  ];
}

function commandLine(input: ExportInput): string {
  const models = input.checkpoints.map(({ id }) => `  --model ${quoted(`${written(id, input)}=FOLDER`)}`);
  return [`npx merging-studio merge ${RECIPE_FILE} --out again`, ...models].join(' \\\n');
}

/** A checkpoint as the exported recipe calls it. */
export function written(id: string, { text, checkpoints }: Pick<ExportInput, 'text' | 'checkpoints'>): string {
  return text && Object.hasOwn(text.paths, id) ? text.paths[id]! : modelPath(id, checkpoints);
}

/** One word of a POSIX shell, on one line. */
function quoted(word: string): string {
  return /^[\w./:=@-]+$/.test(word) ? word : `'${word.replace(INVISIBLE, '?').replaceAll("'", "'\\''")}'`;
}
