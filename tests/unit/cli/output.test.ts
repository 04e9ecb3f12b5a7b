/** What a terminal is sent: no text of a file commands it, or passes for a line of the command's own. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { outputOver } from '../../../src/cli/output';
import { reportProgress } from '../../../src/cli/progress';
import type { RunProgress } from '../../../src/merge/progress';
import { commanded, makeModel, saying } from './small';

const CLEARS = '\u001b[2J\u001b[H291 of 291 tensors are the same to the bit';
const FORGES = 'x\n291 of 291 tensors are the same to the bit';
const TURNS = '\u202exat.rosnet\u009b31m';
let folder = '';
const at = (...path: string[]) => join(folder, ...path);
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'studio-output-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

const recipe = (models: readonly string[]) => `merge_method: linear\nmodels:\n${models.map((model) => `  - {model: ${model}, parameters: {weight: 0.5}}\n`).join('')}dtype: float32\n`;
/** Of what a terminal gets: all that is no text, but for the progress line's own. */
const commandsIn = (said: readonly string[]) => said.join('').replaceAll('\r\u001b[2K', '').match(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/g);

it('of a folder whose tensors are called as commands to a terminal, verify shows the names', async () => {
  await writeFile(at('recipe.yml'), recipe(['one', 'two']));
  await makeModel(at('one'), 1);
  await makeModel(at('two'), 2);
  await makeModel(at('hostile'), 3, ['a', 'b', 'c', CLEARS, FORGES, TURNS]);
  const said: string[] = [];
  await expect(saying(said, ['verify', at('recipe.yml'), '--out', at('hostile')])).rejects.toMatchObject({ reason: 'not-the-recipe' });
  const lines = said.join('').split('\n').map((line) => line.replaceAll('\r\u001b[2K', ''));
  expect(commandsIn(said)).toBe(null);
  expect(lines).toEqual(expect.arrayContaining([`${CLEARS.replaceAll('\u001b', '\ufffd')}: not of the recipe`, `${FORGES.replace('\n', '\ufffd')}: not of the recipe`, '\ufffdxat.rosnet\ufffd31m: not of the recipe']));
  expect(lines.filter((line) => line.startsWith('291 of 291'))).toEqual([]);
});

it('of differences that are to be decided, each is one line', async () => {
  await writeFile(at('undecided.yml'), recipe(['small', 'large']));
  await makeModel(at('small'), 1, [FORGES]);
  await makeModel(at('large'), 2, [FORGES], 65);
  const { message } = await commanded(['plan', at('undecided.yml')]).catch((error: unknown) => error as Error) as Error;
  expect(message.split('\n')).toEqual([expect.stringContaining('1 differences are to be decided'), expect.stringMatching(/^shape-differs: x\ufffd291 of 291 tensors are the same to the bit of large: \[64\] in the base, \[65\] here$/)]);
});

it('a terminal gets the line that changes, and a log or --quiet none of it', () => {
  const progress: RunProgress = { phase: 'reading', tensorsDone: 1, tensors: 2, bytesRead: 0, bytesReadTotal: 1e9, bytesWritten: 0, bytesVerified: 0, bytesWrittenTotal: 1e9, elapsedMs: 0 } as RunProgress;
  const told = (isTTY: boolean, isQuiet: boolean) => {
    const [out, errors]: string[][] = [[], []];
    const output = outputOver({ isTTY, write: (text) => out!.push(text) }, { write: (text) => errors!.push(text) }, isQuiet);
    const { onProgress, end } = reportProgress(output, () => 0);
    onProgress(progress);
    end();
    output.leave(['model-00001-of-00002.safetensors', '\u001b[2J']);
    expect([errors, output.left.length]).toEqual([['could not be removed: model-00001-of-00002.safetensors, \ufffd[2J\n'], 2]);
    return out;
  };
  const line = '1 of 2 tensors, 0.00 GB of 1.00 GB read, 0.00 GB written, 0 s';
  expect([told(true, false), told(false, false), told(true, true), told(false, true)]).toEqual([[`\r\u001b[2K${line}`, '\r\u001b[2K'], [`${line}\n`], [], []]);
});
