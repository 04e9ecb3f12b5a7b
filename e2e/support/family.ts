import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decode, encode, type FloatName } from './numbers';
import { namesInOrder, readSafetensors, writeSafetensors, type Tensors } from './safetensors';

export const SAMPLE = join(process.cwd(), 'public', 'sample');

/** Tensors of one folder of the sample family. */
export async function sampleTensors(name: string): Promise<Tensors> {
  return readSafetensors(await readFile(join(SAMPLE, name, 'model.safetensors'))).tensors;
}

/** Hex SHA-256 of all payloads one after the other, in the order figures.json was made with. */
export function hashOf(tensors: Tensors): string {
  const hash = createHash('sha256');
  for (const name of namesInOrder(tensors)) hash.update(tensors.get(name)!.bytes);
  return hash.digest('hex');
}

/** The same tensors in another format. */
export function converted(tensors: Tensors, dtype: FloatName): Tensors {
  return new Map([...tensors].map(([name, { shape, bytes, dtype: from }]) => [name, { dtype, shape, bytes: encode(decode(bytes, from), dtype) }]));
}

async function copySidecars(name: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const files = (await readdir(join(SAMPLE, name))).filter((file) => !file.endsWith('.safetensors'));
  await Promise.all(files.map((file) => copyFile(join(SAMPLE, name, file), join(folder, file))));
}

/** Writes a folder of the family with its weights in one file of `dtype`. */
export async function writeConverted(name: string, dtype: FloatName, folder: string): Promise<Tensors> {
  const tensors = converted(await sampleTensors(name), dtype);
  await copySidecars(name, folder);
  await writeFile(join(folder, 'model.safetensors'), writeSafetensors(tensors));
  return tensors;
}

/** Writes a folder of the family with its weights in `count` shards and an index. Returns the shards' names. */
export async function writeSharded(name: string, count: number, folder: string): Promise<string[]> {
  const tensors = await sampleTensors(name);
  await copySidecars(name, folder);
  const names = namesInOrder(tensors);
  const perShard = Math.ceil(names.length / count);
  const weightMap: Record<string, string> = {};
  const shards: string[] = [];
  for (let i = 0; i < count; i++) {
    const shard = `model-${String(i + 1).padStart(5, '0')}-of-${String(count).padStart(5, '0')}.safetensors`;
    const own = names.slice(i * perShard, (i + 1) * perShard);
    for (const tensor of own) weightMap[tensor] = shard;
    await writeFile(join(folder, shard), writeSafetensors(new Map(own.map((tensor) => [tensor, tensors.get(tensor)!]))));
    shards.push(shard);
  }
  const total = [...tensors.values()].reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
  const index = { metadata: { total_size: total }, weight_map: weightMap };
  await writeFile(join(folder, 'model.safetensors.index.json'), JSON.stringify(index, null, 2));
  return shards;
}

/** Turns a folder into what `hf download` leaves of it: `folder/models--acme--NAME` with blobs by hash and a snapshot of links to them. */
export async function asCache(source: string, name: string, folder: string): Promise<string> {
  const cache = join(folder, `models--acme--${name}`);
  const commit = createHash('sha1').update(name).digest('hex');
  const snapshot = join(cache, 'snapshots', commit);
  for (const made of [snapshot, join(cache, 'blobs'), join(cache, 'refs')]) await mkdir(made, { recursive: true });
  await writeFile(join(cache, 'refs', 'main'), commit);
  for (const file of await readdir(source)) {
    const hash = createHash('sha256').update(await readFile(join(source, file))).digest('hex');
    await rename(join(source, file), join(cache, 'blobs', hash));
    await symlink(join('..', '..', 'blobs', hash), join(snapshot, file));
  }
  return cache;
}
