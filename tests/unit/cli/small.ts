/** Checkpoints of a few hundred bytes on the disk, and the command line over them in this process. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { carryOut } from '../../../src/cli/merge';
import { readOptions } from '../../../src/cli/usage';

/** Their order is that of an export. */
export const TENSORS = ['a', 'b', 'c'];
/** Values of each. */
const VALUES = 64;

/** The bytes of a checkpoint whose tensors are called `names`; `seed` makes its values. */
export function checkpointBytes(seed: number, names: readonly string[] = TENSORS): Uint8Array<ArrayBuffer> {
  const size = 4 * VALUES;
  const header = Object.fromEntries(names.map((name, i) => [name, { dtype: 'F32', shape: [VALUES], data_offsets: [i * size, (i + 1) * size] }]));
  const json = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + names.length * size);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(new Uint8Array(Float32Array.from({ length: names.length * VALUES }, (_, i) => Math.sin(seed + i)).buffer), 8 + json.length);
  return bytes;
}

/** A folder with a checkpoint and its config.json. */
export async function makeModel(folder: string, seed: number, names?: readonly string[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'model.safetensors'), checkpointBytes(seed, names));
  await writeFile(join(folder, 'config.json'), '{"model_type":"llama"}');
}

/** What a command says; rejects as it does. `args` begin with the command and the recipe. */
export async function commanded(args: readonly string[], signal = new AbortController().signal): Promise<string> {
  let said = '';
  await carryOut(readOptions([...args, ...(args[0] === 'plan' ? [] : ['--backend', 'cpu'])])!, { isTerminal: false, write: (text) => void (said += text) }, signal);
  return said;
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
