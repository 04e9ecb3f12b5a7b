/** A session end to end, on files in memory and the CPU reference. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decodeToF32 } from '../../../src/bytes/floats';
import { MemorySource } from '../../../src/bytes/source';
import { readHeader } from '../../../src/format/safetensors/header';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import { fault } from '../files/fakes';
import { IDS, NORM, Q, familyFiles, openFamily, picked, shardBytes, startSession } from './family';

const explored = { choices: DEFAULT_CHOICES };

describe('open', () => {
  it('gives checkpoints, and a problem for each file that cannot be one', async () => {
    const { request } = startSession();
    const result = await request('open', { files: [...familyFiles(), picked('broken/model.safetensors', 'no'), picked('notes.md', '')] });
    expect(result.checkpoints.map(({ name, parameters, sidecars }) => [name, parameters, sidecars.length])).toEqual([['base', 12, 2], ['ct', 12, 0], ['sft', 12, 0]]);
    expect(result.problems.map(({ file, error }) => [file, error.code])).toEqual([['broken/model.safetensors', 'malformed-file']]);
    expect(result.ignored).toEqual(['notes.md']);
  });

  it('gives the texts of recipes, and no other YAML', async () => {
    const { request } = startSession();
    const text = '# mine\nmerge_method: ties\n';
    const other = new Uint8Array([0x6d, 0xff]);
    const files = [picked('m/mergekit_config.yml', text), picked('m/ci.yaml', 'on: push\n'), picked('m/broken.yml', other), picked('m/merge_method.txt', text)];
    const result = await request('open', { files: [...files, ...familyFiles()] });
    expect(result.recipes).toEqual([{ file: 'm/mergekit_config.yml', text }]);
    expect([...result.ignored].sort()).toEqual(['m/broken.yml', 'm/ci.yaml', 'm/merge_method.txt']);
  });

  it('loose shards may come one by one', async () => {
    const { request } = startSession();
    const shard = (n: number) => picked(`model-0000${n}-of-00002.safetensors`, shardBytes([{ name: `t${n}`, dtype: 'F32', shape: [1], values: [n] }]));
    const first = await request('open', { files: [shard(1)] });
    expect([first.checkpoints.length, first.problems[0]?.error.reason]).toEqual([0, 'missing-shards']);
    const second = await request('open', { files: [shard(2)] });
    expect(second.problems).toEqual([]);
    expect(second.checkpoints.map(({ shards, tensors }) => [shards.length, tensors.map(({ name }) => name)])).toEqual([[2, ['t1', 't2']]]);
    expect((await request('open', { files: [picked('x.md', '')] })).problems).toEqual([]);
  });

  it('the same files again are the same checkpoint; others of the same name get a name of their own', async () => {
    const { request } = startSession();
    const file = () => picked('llama/model.safetensors', shardBytes([{ name: 't', dtype: 'F32', shape: [1], values: [1] }]));
    const first = file();
    const [once] = (await request('open', { files: [first] })).checkpoints;
    const [again] = (await request('open', { files: [first] })).checkpoints;
    const [other] = (await request('open', { files: [file()] })).checkpoints;
    expect(again!.id).toBe(once!.id);
    expect(other!.id).not.toBe(once!.id);
    expect([once!.name, again!.name, other!.name]).toEqual(['llama', 'llama', 'llama (2)']);
  });

  it('a closed checkpoint can no longer be merged', async () => {
    const { request, idOf, recipe } = await openFamily();
    await request('close', { checkpoint: idOf('ct') });
    await expect(request('explore', { recipe, ...explored })).rejects.toMatchObject({ code: 'invalid-recipe', reason: 'checkpoint-not-open' });
  });
});

describe('explore', () => {
  it('counts as merging.md sections 2 to 5 do', async () => {
    const { request, recipe } = await openFamily();
    const { tensors } = await request('explore', { recipe, ...explored });
    const q = tensors.find(({ tensor }) => tensor === Q)!;
    // Half of 8: SFT keeps 4 -3 2 -1, CT keeps -5 -3 2 8. They meet at positions 0 (conflict, CT wins) and 1 (agree).
    expect(q).toEqual({
      tensor: Q, elements: 8, exact: true, thresholds: [1, 2], spread: null,
      figures: { numel: 8, kept: [4, 4], nonzero: [4, 4], conflict: 1, between: [1], won: [0, 1], discarded: [1, 0], reserved: 0, reservedCost: 0, nonfinite: [0, 0, 0], overflow: 0 },
    });
    expect(tensors.map(({ tensor }) => tensor).sort()).toEqual([Q, NORM].sort());
  });

  it('an untrimmed model has no threshold', async () => {
    const { request, recipe } = await openFamily();
    const models = recipe.models.map((model, i) => ({ ...model, density: i === 0 ? 1 : 0.5 }));
    const { tensors } = await request('explore', { recipe: { ...recipe, models }, ...explored });
    expect(tensors.find(({ tensor }) => tensor === Q)!.thresholds).toEqual([null, 2]);
  });

  it('the latest of several requests is answered, the others are cancelled', async () => {
    const { request, recipe } = await openFamily();
    const ask = (density: number) => request('explore', { recipe: { ...recipe, models: recipe.models.map((model) => ({ ...model, density })) }, ...explored });
    const requests = [ask(0.25), ask(0.5), ask(0.75)];
    const outcomes = await Promise.allSettled(requests);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
    const { tensors } = await requests[2]!;
    expect(tensors.find(({ tensor }) => tensor === Q)!.figures.kept).toEqual([6, 6]);
  });
});

describe('plan', () => {
  it('says what will be written, byte for byte', async () => {
    const { request, recipe, merge, out } = await openFamily();
    const plan = await request('plan', { recipe, ...explored, shardBytes: 2 ** 30 });
    expect([plan.tensors, plan.parameters, plan.shards.length, plan.refusals]).toEqual([3, 12, 1, []]);
    expect(plan.issues.map(({ kind, tensor }) => [kind, tensor])).toEqual([['integer-copied', IDS]]);
    await merge();
    expect(out.files.get('model.safetensors')!.bytes.length).toBe(plan.shards[0]!.bytes);
    expect(plan.bytesWritten).toBe(plan.shards[0]!.bytes);
  });

  it('integer tensors that differ are refused until somebody chooses whose to keep', async () => {
    const { request, recipe, idOf } = await openFamily({}, familyFiles([1, 2], [1, 3]));
    const plan = (integerFrom: Record<string, string>) => request('plan', { recipe, choices: { ...DEFAULT_CHOICES, integerFrom }, shardBytes: 2 ** 30 });
    for (let i = 0; i < 2; i++) {
      const { refusals, issues } = await plan({});
      const expected = { kind: 'integer-differs', severity: 'refusal', tensor: IDS, model: idOf('ct'), baseShape: [2], modelShape: [2], dtype: 'I64' };
      expect(refusals).toEqual([expected]);
      expect(issues).toEqual([expected]);
    }
    expect((await plan({ [IDS]: idOf('ct') })).refusals).toEqual([]);
  });
});

describe('merge', () => {
  it('leaves a folder that loads, verified, with exact figures and progress on the way', async () => {
    const { request, merge, out, events } = await openFamily();
    const summary = await merge();
    expect([...out.files.keys()].sort()).toEqual(['README.md', 'config.json', 'merge_by_layer.svg', 'mergekit_config.yml', 'model.safetensors', 'tokenizer.json']);
    expect(summary).toMatchObject({ destination: 'out', privateStorage: true, tensors: 3, verified: 3, overflow: 0, backend: { kind: 'cpu' } });
    expect(summary.files.map(({ name }) => name).sort()).toEqual([...out.files.keys()].sort());
    for (const { name, bytes, sha256 } of summary.files) {
      const written = out.files.get(name)!.bytes;
      expect([name, bytes, sha256]).toEqual([name, written.length, createHash('sha256').update(written).digest('hex')]);
    }

    const weights = out.files.get('model.safetensors')!.bytes;
    const { tensors, metadata } = await readHeader(new MemorySource('m', weights));
    const valuesOf = (name: string) => {
      const { begin, end } = tensors.find((tensor) => tensor.name === name)!;
      return Array.from(decodeToF32(weights.slice(begin, end), 'F32'));
    };
    // Position 0: CT alone agrees with the elected -; 1: both -3, their mean; 4 and 7: CT alone.
    expect(valuesOf(Q)).toEqual([-5, -3, 2, -1, 2, 0, 0, 8]);
    expect(metadata['format']).toBe('pt');
    expect(new TextDecoder().decode(out.files.get('README.md')!.bytes)).toContain('Discarded');

    const heard = events.flatMap((event) => (event.event === 'tensor' ? event.figures : []));
    expect(heard.map(({ tensor, exact }) => [tensor, exact]).sort()).toEqual([[NORM, true], [Q, true]].sort());
    const progress = events.flatMap((event) => (event.event === 'progress' ? [event.progress] : []));
    expect(progress.at(-1)).toMatchObject({ phase: 'verifying', tensorsDone: 3, tensors: 3, bytesVerified: weights.length });
    expect(summary.stamps.map(({ name, bytes }) => [name, bytes])).toEqual(summary.files.map(({ name, bytes }) => [name, bytes]));
    expect(await request('exported', { was: summary.stamps[0]! })).toEqual({ handle: `file ${summary.stamps[0]!.name}` });
  });

  it('in private storage replaces an older export unasked, and not before the merge is whole', async () => {
    const { merge, out } = await openFamily();
    out.files.set('model-00001-of-00002.safetensors', { bytes: new Uint8Array(3), modified: 1 });
    out.before = (operation, name) => {
      if (operation === 'write' && name === 'model.safetensors') throw fault('QuotaExceededError');
    };
    await expect(merge()).rejects.toMatchObject({ code: 'disk-full' });
    expect([...out.files.keys()]).toEqual(['model-00001-of-00002.safetensors']);
    out.before = () => {};
    await merge();
    expect([out.files.has('model-00001-of-00002.safetensors'), out.files.has('model.safetensors')]).toEqual([false, true]);
  });

  it('refuses a folder that holds weights, and replaces them on request', async () => {
    const session = await openFamily();
    const { out, request, recipe } = session;
    const merge = (replace = false) => request('merge', { recipe, choices: DEFAULT_CHOICES, shardBytes: 2 ** 30, replace, destination: { name: 'out', handle: out.handle } });
    out.files.set('model-00001-of-00002.safetensors', { bytes: new Uint8Array(3), modified: 1 });
    await expect(merge()).rejects.toMatchObject({ code: 'destination', reason: 'not-empty', where: { names: ['model-00001-of-00002.safetensors'] } });
    expect([...out.files.keys()]).toEqual(['model-00001-of-00002.safetensors']);
    await merge(true);
    expect(out.files.has('model-00001-of-00002.safetensors')).toBe(false);
    expect(out.files.has('model.safetensors')).toBe(true);
  });

  it('a full disk and a cancelled merge leave nothing', async () => {
    const full = await openFamily();
    full.out.before = (operation, name) => {
      if (operation === 'write' && name === 'model.safetensors') throw fault('QuotaExceededError');
    };
    await expect(full.merge()).rejects.toMatchObject({ code: 'disk-full', where: { file: 'out/model.safetensors' } });
    expect(full.out.files.size).toBe(0);

    const stopped = await openFamily();
    stopped.out.before = (operation) => {
      if (operation === 'write') void stopped.request('cancel', {});
    };
    await expect(stopped.merge()).rejects.toMatchObject({ code: 'cancelled' });
    expect(stopped.out.files.size).toBe(0);
  });

  it('waits while paused and carries on', async () => {
    const { request, merge, out } = await openFamily();
    let isPaused = false;
    let whilePaused = 0;
    out.before = (operation) => {
      if (operation !== 'write') return;
      if (isPaused) whilePaused++;
      isPaused = true;
      void request('pause', { paused: true });
    };
    const done = merge();
    while (!isPaused) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([isPaused, whilePaused, out.files.get('README.md')?.bytes.length ?? 0]).toEqual([true, 0, 0]);
    out.before = () => {};
    await request('pause', { paused: false });
    expect((await done).verified).toBe(3);
  });
});
