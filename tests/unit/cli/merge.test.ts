/** The command line as processes on real folders: what it writes, and what several processes write together. */
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, open, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSafetensors } from '../../../e2e/support/safetensors';
import { carryOut } from '../../../src/cli/merge';
import { openRecipe } from '../../../src/cli/models';
import { outputOver } from '../../../src/cli/output';
import { takeParts } from '../../../src/cli/parts';
import { readOptions } from '../../../src/cli/usage';

const run = promisify(execFile);
const ROOT = process.cwd();
const FAMILY = join(ROOT, 'tests', 'fixtures', 'checkpoints');
const MODELS = ['base', 'sft', 'ct-x-4M'].flatMap((name) => ['--model', `${name}=${join(FAMILY, name)}`]);
const RECIPE = `merge_method: ties
base_model: base
models:
  - {model: sft, parameters: {weight: 1, density: 0.2}}
  - {model: ct-x-4M, parameters: {weight: 1, density: 1.0}}
dtype: float32
out_dtype: bfloat16
`;
let folder = '';
let recipe = '';

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}
async function cli(...args: string[]): Promise<Outcome> {
  try {
    return { code: 0, ...(await run(process.execPath, [join(ROOT, 'scripts', 'cli.mjs'), ...args])) };
  } catch (error) {
    const { code, stdout, stderr } = error as Outcome;
    return { code, stdout, stderr };
  }
}
const merge = (out: string, ...args: string[]) => cli('merge', recipe, '--out', out, ...MODELS, '--backend', 'cpu', ...args);

async function contents(of: string): Promise<Record<string, string>> {
  const names = (await readdir(of)).sort();
  const hashes = await Promise.all(names.map(async (name) => createHash('sha256').update(await readFile(join(of, name))).digest('hex')));
  return Object.fromEntries(names.map((name, i) => [name, hashes[i]!]));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'studio-cli-'));
  recipe = join(folder, 'recipe.yml');
  await writeFile(recipe, RECIPE);
  // Bundles, so that no test pays for it.
  await cli('--help');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('merge', () => {
  it('writes the checkpoint that figures.json has the hash of, and computes all of it again by other code', async () => {
    const out = join(folder, 'one', 'merged');
    const { code, stdout, stderr } = await merge(out, '--recheck');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('75 tensors');
    expect(stdout).toMatch(/; all 1575040 by CPU, \d+ workers?, 0 of them rounded by one unit/);
    expect(Object.keys(await contents(out))).toEqual(expect.arrayContaining(['README.md', 'config.json', 'mergekit_config.yml', 'model.safetensors']));
    const { tensors } = readSafetensors(new Uint8Array(await readFile(join(out, 'model.safetensors'))));
    const hash = createHash('sha256');
    for (const name of [...tensors.keys()].sort()) hash.update(tensors.get(name)!.bytes);
    const figures = JSON.parse(await readFile(join(FAMILY, 'figures.json'), 'utf8')) as Record<string, Record<string, string>>;
    expect(hash.digest('hex')).toBe(figures['ties: sft + ct-x-4M']!['sha256_of_bf16_tensors_in_utf8_name_order']);
  });

  it('is verified against its own recipe, to the bit, and a changed value is named', async () => {
    const out = join(folder, 'verified', 'merged');
    await merge(out);
    const verify = () => cli('verify', join(out, 'mergekit_config.yml'), '--out', out, ...MODELS, '--backend', 'cpu');
    const same = await verify();
    expect([same.code, same.stderr]).toEqual([0, '']);
    expect(same.stdout).toContain('75 of 75 tensors are the same to the bit; 0 of 1575040 values differ');
    const file = join(out, 'model.safetensors');
    const bytes = await readFile(file);
    bytes[bytes.length - 1]! ^= 0x80;
    await writeFile(file, bytes);
    const other = await verify();
    expect(other.code).toBe(1);
    expect(other.stdout).toMatch(/: 1 of \d+ values differ, first value \d+: /);
    expect(other.stderr).toContain('74 of 75 tensors are the same to the bit; 1 of 1575040 values differ');
  });

  it('in several processes at once gives byte for byte what one gives', async () => {
    const [whole, parts] = [join(folder, 'whole', 'merged'), join(folder, 'parts', 'merged')];
    const shards = ['--shard-size', '400kB'];
    expect((await merge(whole, ...shards)).code).toBe(0);
    const outcomes = await Promise.all([1, 2, 3].map((part) => merge(parts, ...shards, '--part', `${part}/3`)));
    expect(outcomes.map(({ code, stderr }) => [code, stderr])).toEqual([[0, ''], [0, ''], [0, '']]);
    // Nothing that loads before the last step.
    expect(await readdir(parts)).toEqual(['parts']);
    expect(await merge(parts, ...shards, '--finish', '3')).toMatchObject({ code: 0, stderr: '' });
    expect(await contents(parts)).toEqual(await contents(whole));
    expect(Object.keys(await contents(whole)).filter((name) => name.endsWith('.safetensors'))).toHaveLength(9);
  });

  it('joins only parts that are complete, of this merge, and what they were', async () => {
    const out = join(folder, 'torn', 'merged');
    const shards = ['--shard-size', '400kB'];
    await merge(out, ...shards, '--part', '1/2');
    const missing = await merge(out, ...shards, '--finish', '2');
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('part-2-of-2 is not finished')]);
    await merge(out, ...shards, '--part', '2/2');
    const other = await merge(out, '--shard-size', '500kB', '--finish', '2');
    expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('of another recipe, other sources or another shard size')]);
    const shard = join(out, 'parts', 'part-1-of-2', 'model-00001-of-00009.safetensors');
    const bytes = await readFile(shard);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(shard, bytes);
    const flipped = await merge(out, ...shards, '--finish', '2');
    expect([flipped.code, flipped.stderr]).toEqual([1, expect.stringContaining('run part 1 again')]);
    expect((await readdir(out)).filter((name) => name !== 'parts')).toEqual([]);
    // Run again, it replaces what it wrote.
    expect((await merge(out, ...shards, '--part', '1/2')).code).toBe(0);
    expect((await merge(out, ...shards, '--finish', '2')).code).toBe(0);
  });
});

describe('parts that are joined', () => {
  const shards = ['--shard-size', '400kB'];
  const lockOf = (of: string) => writeFile(join(of, '.studio-lock'), JSON.stringify({ pid: process.pid, host: hostname(), token: 'x' }));

  it('while one still runs, of this or another number of parts, or a second --finish: refused, nothing touched, and joined afterwards', async () => {
    const out = join(folder, 'running', 'merged');
    for (const part of ['1/2', '2/2']) await merge(out, ...shards, '--part', part);
    const parts = join(out, 'parts');
    await mkdir(join(parts, 'part-1-of-3'));
    await writeFile(join(out, 'parts', 'part-list.txt'), 'mine');
    const before = await contents(join(parts, 'part-2-of-2'));
    for (const at of ['part-2-of-2', 'part-1-of-3']) {
      await lockOf(join(parts, at));
      const { code, stderr } = await merge(out, ...shards, '--finish', '2');
      expect([code, stderr]).toEqual([1, `destination (part-running): ${join(parts, at)} is in use by process ${process.pid}: this part still runs, or is joined by another\nWait until it has ended, then run --finish again.\n`]);
      await rm(join(parts, at, '.studio-lock'));
    }
    expect([await readdir(out), (await readdir(parts)).sort(), await contents(join(parts, 'part-2-of-2'))]).toEqual([['parts'], ['part-1-of-2', 'part-1-of-3', 'part-2-of-2', 'part-list.txt'], before]);
    await lockOf(out);
    expect((await merge(out, ...shards, '--finish', '2')).stderr).toContain(`destination (locked): ${out} is in use by process ${process.pid}`);
    await rm(join(out, '.studio-lock'));
    const options = readOptions(['merge', recipe, '--out', out, ...MODELS, ...shards, '--finish', '2'])!;
    await expect(carryOut(options, outputOver({ write: () => {} }, { write: () => {} }, true), AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
    expect([await readdir(out), await contents(join(parts, 'part-2-of-2'))]).toEqual([['parts'], before]);
    expect(await merge(out, ...shards, '--finish', '2')).toMatchObject({ code: 0, stderr: '' });
    expect([(await readdir(out)).filter((name) => name.startsWith('.')), await readdir(parts)]).toEqual([[], ['part-list.txt']]);
  });

  it('keep a part that is run again from beginning meanwhile', async () => {
    const out = join(folder, 'again', 'merged');
    const all = ['1/2', '2/2'];
    for (const part of all) await merge(out, ...shards, '--part', part);
    const taken = await takeParts(out);
    for (const [i, part] of all.entries()) {
      const { code, stderr } = await merge(out, ...shards, '--part', part);
      expect([code, stderr]).toEqual([1, expect.stringContaining(`destination (locked): ${join(out, 'parts', `part-${i + 1}-of-2`)} is in use by process ${process.pid}`)]);
    }
    await taken.release();
    expect((await merge(out, ...shards, '--part', '1/2')).code).toBe(0);
  });
});

describe('the package', () => {
  it('that npm pack makes holds what the command needs, and nothing has to be installed beside it', async () => {
    const npm = process.env.npm_execpath?.endsWith('.js') === true ? [process.execPath, process.env.npm_execpath] : ['npm'];
    const packed = await run(npm[0]!, [...npm.slice(1), 'pack', '--ignore-scripts', '--json', '--pack-destination', folder], { cwd: ROOT });
    const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }];
    await run('tar', ['-xzf', filename], { cwd: folder });
    const { bin } = JSON.parse(await readFile(join(folder, 'package', 'package.json'), 'utf8')) as { bin: Record<string, string> };
    const planned = await run(process.execPath, [join(folder, 'package', bin['merging-studio']!), 'plan', recipe, ...MODELS]);
    expect(planned.stdout).toContain('75 tensors');
    await expect(readdir(join(folder, 'package', 'src'))).rejects.toThrow('ENOENT');
  });
});

describe('a Hugging Face cache', () => {
  it('stands for the snapshot its main branch names', async () => {
    const cache = join(folder, 'models--acme--sft');
    await mkdir(join(cache, 'snapshots', 'old'), { recursive: true });
    await mkdir(join(cache, 'refs'));
    await writeFile(join(cache, 'refs', 'main'), 'new\n');
    await symlink(join(FAMILY, 'sft'), join(cache, 'snapshots', 'new'));
    const of = (sft: string) => cli('plan', recipe, ...MODELS, '--model', `sft=${sft}`);
    const [cached, plain] = [await of(cache), await of(join(FAMILY, 'sft'))];
    expect([cached.code, cached.stderr, cached.stdout]).toEqual([0, '', plain.stdout]);
    await writeFile(join(cache, 'refs', 'main'), 'old');
    expect(await of(cache)).toMatchObject({ code: 2, stderr: expect.stringContaining('0 checkpoints') as string });
  });
});

it('what is read beside the tensors ends soon after an interruption, whatever the disk does', async () => {
  const models = join(folder, 'pipes');
  await cp(FAMILY, models, { recursive: true });
  const options = readOptions(['merge', recipe, '--out', join(folder, 'pipes-out'), ...['base', 'sft', 'ct-x-4M'].flatMap((name) => ['--model', `${name}=${join(models, name)}`])])!;
  const stopping = new AbortController();
  const { checkpoints, openFile } = await openRecipe(options, stopping.signal);
  const { file } = checkpoints[0]!.shards[0]!;
  await rm(file.id);
  await run('mkfifo', [file.id]);
  const reading = (await openFile(file)).read(0, 8);
  stopping.abort();
  await expect(reading).rejects.toMatchObject({ code: 'cancelled' });
  // The thread that waits for the pipe goes on.
  await (await open(file.id, 'r+')).close();
});

describe('refusals', () => {
  it('a model that is nowhere, with the option that says where', async () => {
    const { code, stderr } = await cli('merge', recipe, '--out', join(folder, 'x'), '--model', `base=${join(FAMILY, 'base')}`);
    expect([code, stderr]).toEqual([2, expect.stringContaining('--model sft=FOLDER')]);
    // What commands a terminal is shown as text.
    expect((await cli('plan', recipe, '--model', 'base=\u001b[2Jx')).stderr).toBe('model base: \ufffd[2Jx is no folder\n');
  });

  it('a recipe with a fault, at its line', async () => {
    const bad = join(folder, 'bad.yml');
    await writeFile(bad, RECIPE.replace('merge_method: ties', 'merge_method: tires'));
    const { code, stderr } = await cli('plan', bad, ...MODELS);
    expect([code, stderr]).toEqual([2, expect.stringContaining('bad.yml:1: error: merge_method tires')]);
  });

  it('a folder of sources as the output, and one that holds an export', async () => {
    const own = join(folder, 'sources');
    await cp(join(FAMILY, 'sft'), own, { recursive: true });
    const onto = await cli('merge', recipe, '--out', own, ...MODELS, '--model', `sft=${own}`, '--backend', 'cpu');
    expect([onto.code, onto.stderr]).toEqual([1, expect.stringContaining('is-source')]);
    const full = join(folder, 'full');
    await mkdir(full);
    await writeFile(join(full, 'model.safetensors'), 'old');
    const refused = await merge(full);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('not-empty')]);
    expect(await readFile(join(full, 'model.safetensors'), 'utf8')).toBe('old');
    expect((await merge(full, '--replace')).code).toBe(0);
  });

  it('a folder that another process is at, which is told by its number', async () => {
    const out = join(folder, 'in-use');
    await mkdir(out);
    await writeFile(join(out, '.studio-lock'), JSON.stringify({ pid: process.pid, host: hostname(), token: 'x' }));
    const { code, stderr } = await merge(out);
    expect([code, stderr]).toEqual([1, `destination (locked): ${out} is in use by process ${process.pid}\nWait until it has ended, or choose another folder.\n`]);
    expect(await readdir(out)).toEqual(['.studio-lock']);
  });

  it('a source that is written meanwhile: nothing that loads is left', async () => {
    const own = join(folder, 'moving');
    const out = join(folder, 'moved', 'merged');
    await cp(join(FAMILY, 'sft'), own, { recursive: true });
    const running = cli('merge', recipe, '--out', out, ...MODELS, '--model', `sft=${own}`, '--backend', 'cpu', '--shard-size', '100kB');
    // The folder appears when the sources are open.
    for (;;) {
      if ((await readdir(out).catch(() => [])).length > 0) break;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await utimes(join(own, 'model.safetensors'), new Date(), new Date(0));
    const { code, stderr } = await running;
    expect([code, stderr]).toEqual([1, expect.stringContaining('source-changed')]);
    expect(await readdir(out)).toEqual([]);
  });
});

describe('batch', () => {
  it('leaves a folder for each pair of densities with the weights of its own merge, and a table', async () => {
    const out = join(folder, 'grid');
    const { code, stdout, stderr } = await cli('batch', recipe, '--out', out, ...MODELS, '--backend', 'cpu', '--grid', 'sft=0.2', '--grid', 'ct-x-4M=0.4,1', '--recheck');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('2 merges, 2 side by side: reads 0.01 GB');
    expect(stdout).toMatch(/read again and equal; all 3150080 values of them by CPU, \d+ workers?, 0 of these rounded by one unit in the last place: /);
    expect((await readdir(out)).sort()).toEqual(['results.csv', 'sft-0.2_ct-x-4M-0.4', 'sft-0.2_ct-x-4M-1']);
    const alone = join(folder, 'alone');
    await merge(alone);
    expect((await contents(join(out, 'sft-0.2_ct-x-4M-1')))['model.safetensors']).toBe((await contents(alone))['model.safetensors']);
    expect((await cli('batch', recipe, '--out', out, ...MODELS, '--grid', 'sft=0.2', '--grid', 'ct-x-4M=1')).stderr).toContain('folders-exist');
  });
});

describe('a merge that is killed', () => {
  /** Seventeen shards. */
  const SMALL = ['--shard-size', '200kB'];

  it('is refused, resumed to the same bytes with --resume, and leaves no journal', async () => {
    // Of one name: it is the card's title.
    const [whole, out] = [join(folder, 'never-killed', 'merged'), join(folder, 'killed', 'merged')];
    expect((await merge(whole, ...SMALL)).code).toBe(0);
    const held = join(out, 'model-00004-of-00017.safetensors.part');
    await mkdir(out, { recursive: true });
    // Opening a pipe that nobody reads never ends: it dies with three shards finished, however quick it is.
    await run('mkfifo', [held]);
    const child = spawn(process.execPath, [join(ROOT, 'scripts', 'cli.mjs'), 'merge', recipe, '--out', out, ...MODELS, '--backend', 'cpu', ...SMALL], { stdio: 'ignore', detached: true });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    for (let there: string[] = []; !there.includes('model-00003-of-00017.safetensors'); there = await readdir(out)) {
      expect(child.exitCode).toBeNull();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    process.kill(-child.pid!, 'SIGKILL');
    await ended;
    await rm(held);
    await writeFile(held, 'half of a shard');
    const left = await readdir(out);
    expect(left).toContain('studio-journal.json');
    expect(left).not.toContain('model.safetensors.index.json');

    const refused = await merge(out, ...SMALL);
    expect([refused.code, refused.stderr]).toEqual([1, `destination (unfinished): ${out} holds an unfinished export\nCarry it on with --resume, replace it with --replace, or choose another folder.\n`]);
    const other = await merge(out, '--shard-size', '300kB', '--resume');
    expect(other.stderr).toContain('destination (journal-of-another)');
    const { code, stdout } = await merge(out, ...SMALL, '--resume');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^3 of 17 shards were finished before, read again and kept$/m);
    expect(await contents(out)).toEqual(await contents(whole));
    expect((await merge(out, ...SMALL, '--resume')).stderr).toContain('destination (nothing-to-resume)');
  });

  it('interrupted while the disk never answers, it ends all the same, says so, and is resumed', async () => {
    const out = join(folder, 'stuck', 'merged');
    const stuck = 'model-00003-of-00017.safetensors';
    await mkdir(out, { recursive: true });
    // Opening a pipe that nobody reads never ends, and neither does exit() of a process that does it.
    await run('mkfifo', [join(out, `${stuck}.part`)]);
    const child = spawn(process.execPath, [join(ROOT, 'scripts', 'cli.mjs'), 'merge', recipe, '--out', out, ...MODELS, '--backend', 'cpu', ...SMALL], { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => void (said += text.toString()));
    const ended = new Promise((resolve) => child.once('close', (code, signal) => resolve([code, signal])));
    for (let there: string[] = []; !there.includes('model-00002-of-00017.safetensors'); there = await readdir(out)) await new Promise((resolve) => setTimeout(resolve, 20));
    process.kill(-child.pid!, 'SIGINT');
    // A shell says 130.
    expect(await ended).toEqual([null, 'SIGINT']);
    expect(said).toContain(`could not be removed: ${stuck}`);
    expect(said).toContain('interrupted: nothing unfinished was left that loads\nWhat is finished is kept: --resume carries on.\n');
    expect((await readdir(out)).sort()).toEqual(['model-00001-of-00017.safetensors', 'model-00002-of-00017.safetensors', `${stuck}.part`, 'studio-journal.json']);
    const { code, stdout } = await merge(out, ...SMALL, '--resume');
    expect([code, stdout]).toEqual([0, expect.stringContaining('2 of 17 shards were finished before')]);
  });

  it('takes the place of another with --replace, of which no file stays that is the export\'s', async () => {
    const out = join(folder, 'killed', 'replaced');
    await merge(out);
    for (const name of ['tokenizer.model', 'notes.txt']) await writeFile(join(out, name), 'of before');
    expect((await merge(out)).stderr).toContain('destination (not-empty)');
    expect((await merge(out, '--replace')).code).toBe(0);
    const names = await readdir(out);
    expect([names.includes('tokenizer.model'), names.includes('notes.txt'), names.includes('studio-journal.json')]).toEqual([false, true, false]);
  });
});
