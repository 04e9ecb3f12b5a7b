/** Sentences for tables of scores that cannot be read: `malformed-file`. */
import type { ResultsReason } from '../../recipe/results';
import type { Template } from './words';

const COLUMNS = 'Use the columns of the table that a batch export writes: folder, method, "density of" each model, lambda, slack, and one for each score.';

export const RESULTS_MESSAGES: Record<ResultsReason, Template> = {
  'results-too-long': ({ file, expected, actual }) => ({ title: `${file} is too long for a table of scores`, detail: `It has ${actual} characters, rows or columns; ${expected} are read.`, action: 'Drop the rows of this family of merges alone.' }),
  'results-syntax': ({ file }) => ({ title: `${file} is no table of scores`, detail: 'It is neither CSV with a header and rows nor a JSON list of objects.', action: COLUMNS }),
  'results-row': ({ file, inLine, expected, actual }) => ({ title: `A row of ${file} does not fit its header`, detail: `The row${inLine} has ${actual} cells, the header ${expected}.`, action: 'Put texts that hold a comma between quotes.' }),
  'results-without-densities': ({ file, names }) => ({ title: `${file} does not say which densities its scores are of`, detail: `Its columns are ${names}.`, action: COLUMNS }),
  'results-without-scores': ({ file, names }) => ({ title: `${file} holds no scores`, detail: `Its columns are ${names}, and none beside the recipe's own holds numbers.`, action: 'Fill in the score column and drop the file again.' }),
  'results-number': ({ file, inLine, names, actual }) => ({ title: `A number of ${file} cannot be read`, detail: `${names}${inLine} is ${actual}.`, action: 'Write numbers with a point, such as 0.2.' }),
};
