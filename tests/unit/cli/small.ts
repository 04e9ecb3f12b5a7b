/** Checkpoints of a few hundred bytes on the disk, and the command line over them in this process. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { carryOut } from '../../../src/cli/merge';
import { outputOver } from '../../../src/cli/output';
import { readOptions } from '../../../src/cli/usage';

/** Their order is that of an export. */
export const TENSORS = ['a', 'b', 'c'];

/** The bytes of a checkpoint whose tensors are called `names`, each of so many `values` that `seed` makes. */
export function checkpointBytes(seed: number, names: readonly string[] = TENSORS, values = 64): Uint8Array<ArrayBuffer> {
  const size = 4 * values;
  const header = Object.fromEntries(names.map((name, i) => [name, { dtype: 'F32', shape: [values], data_offsets: [i * size, (i + 1) * size] }]));
  const json = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + names.length * size);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(new Uint8Array(Float32Array.from({ length: names.length * values }, (_, i) => Math.sin(seed + i)).buffer), 8 + json.length);
  return bytes;
}

/** A folder with a checkpoint and its config.json. */
export async function makeModel(folder: string, seed: number, names?: readonly string[], values?: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'model.safetensors'), checkpointBytes(seed, names, values));
  await writeFile(join(folder, 'config.json'), '{"model_type":"llama"}');
}

/** What a command says on a terminal; rejects as it does. `args` begin with the command and the recipe. */
export async function commanded(args: readonly string[], signal = new AbortController().signal): Promise<string> {
  const said: string[] = [];
  await saying(said, args, signal);
  return said.join('');
}

/** The same into `said`, errors' lines too. */
export function saying(said: string[], args: readonly string[], signal = new AbortController().signal): Promise<void> {
  const stream = { isTTY: true, write: (text: string) => said.push(text) };
  return carryOut(readOptions([...args, ...(args[0] === 'plan' ? [] : ['--backend', 'cpu'])])!, outputOver(stream, stream, args.includes('--quiet')), signal);
}

/** A signal that is aborted as soon as `isTime`, whoever looks. */
export function abortedOnce(isTime: () => boolean): AbortSignal {
  const { signal } = new AbortController();
  return Object.defineProperty(signal, 'aborted', { get: isTime });
}

/** The text of every file of a folder, by name. */
export async function filesOf(folder: string): Promise<Record<string, string>> {
  const entries = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile()).map(({ name }) => name);
  return Object.fromEntries(await Promise.all(entries.sort().map(async (name) => [name, await readFile(join(folder, name), 'latin1')])));
}
