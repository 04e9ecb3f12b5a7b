/** A family of tiny checkpoints as dropped files, and a session over them in plain memory. */
import { createCpuBackend } from '../../../src/cpu/backend';
import { encodeFromF32 } from '../../../src/bytes/floats';
import type { OutputDtype } from '../../../src/bytes/dtypes';
import { FolderDestination } from '../../../src/files/destination';
import { memoryFiguresStore } from '../../../src/files/figures-store';
import { FileStore } from '../../../src/files/store';
import { layOutShard } from '../../../src/format/safetensors/writer';
import { DEFAULT_CHOICES } from '../../../src/merge/plan-types';
import { defaultRecipe } from '../../../src/recipe/presets';
import type { Recipe } from '../../../src/recipe/types';
import { createReferenceBackend } from '../../../src/reference/backend';
import { Dispatcher } from '../../../src/worker/dispatch';
import type { BackendFactory } from '../../../src/worker/host';
import type { FromWorker, PickedFile, Reply, RequestName, RequestPayload, WorkerEvent } from '../../../src/worker/protocol';
import { createSession } from '../../../src/worker/session';
import type { SessionParts } from '../../../src/worker/session';
import { SIZING } from '../../../src/worker/sizing';
import { FakeFolder } from '../files/fakes';
import { fromWire } from '../../../src/bytes/errors';

export interface TinyTensor {
  readonly name: string;
  readonly dtype: OutputDtype | 'I64';
  readonly shape: readonly number[];
  /** Of an I64 tensor, one per value; else f32 values. */
  readonly values: readonly number[];
}

/** A complete shard. */
export function shardBytes(tensors: readonly TinyTensor[]): Uint8Array<ArrayBuffer> {
  const layout = layOutShard('model.safetensors', tensors, {});
  const bytes = new Uint8Array(layout.header.length + layout.payloadBytes);
  bytes.set(layout.header);
  for (const { name, begin } of layout.tensors) {
    const { dtype, values } = tensors.find((tensor) => tensor.name === name)!;
    const payload = dtype === 'I64' ? new Uint8Array(BigInt64Array.from(values, BigInt).buffer) : encodeFromF32(Float32Array.from(values), dtype);
    bytes.set(payload, layout.header.length + begin);
  }
  return bytes;
}

let clock = 1_700_000_000_000;
/** A dropped file; each has a time of its own, as files of different folders have. */
export function picked(path: string, content: Uint8Array<ArrayBuffer> | string): PickedFile {
  return { path, handle: new File([content], path.split('/').at(-1)!, { lastModified: clock++ }) };
}

export const Q = 'model.layers.0.self_attn.q_proj.weight';
export const NORM = 'model.norm.weight';
export const IDS = 'model.ids';

/** base 0; tau of SFT and CT as given. 8 values in q, 2 in the norm, so that two slots share a group. */
export const TAU = {
  sft: [4, -3, 2, -1, 0, 0, 0, 0],
  ct: [-5, -3, -1, 1, 2, 0, 0, 8],
};
export function familyFiles(ids: readonly number[] = [1, 2], ctIds: readonly number[] = ids): PickedFile[] {
  const checkpoint = (q: readonly number[], norm: readonly number[], own: readonly number[]) =>
    shardBytes([
      { name: Q, dtype: 'F32', shape: [4, 2], values: q },
      { name: NORM, dtype: 'F32', shape: [2], values: norm },
      { name: IDS, dtype: 'I64', shape: [2], values: own },
    ]);
  return [
    picked('base/model.safetensors', checkpoint(new Array<number>(8).fill(0), [1, 1], ids)),
    picked('base/config.json', '{"model_type": "llama", "torch_dtype": "float32"}'),
    picked('base/tokenizer.json', '{}'),
    picked('sft/model.safetensors', checkpoint(TAU.sft, [2, 1], ids)),
    picked('ct/model.safetensors', checkpoint(TAU.ct, [1, 3], ctIds)),
  ];
}

/** TIES-SV off: k_sft = k_ct = 0.5, lambda 1. */
export function tiesRecipe(base: string, sft: string, ct: string): Recipe {
  const recipe = defaultRecipe(base, sft, [ct]);
  return { ...recipe, method: 'ties', models: recipe.models.map((model) => ({ ...model, density: 0.5, weight: 1 })) };
}

/** A session behind a dispatcher, spoken to as the page does. */
export function startSession(backends: Partial<BackendFactory> = {}, parts: Partial<SessionParts> = {}) {
  const out = new FakeFolder('out');
  const events: WorkerEvent[] = [];
  const pending = new Map<number, (message: Exclude<FromWorker, WorkerEvent>) => void>();
  const emit = (message: FromWorker) => {
    if ('event' in message) events.push(message);
    else pending.get(message.id)!(message);
  };
  const handlers = createSession({
    backends: { webgpu: () => Promise.reject(new Error('no WebGPU here')), cpu: createReferenceBackend, recheck: () => createCpuBackend(), measure: async () => null, ...backends },
    store: new FileStore(),
    fetchSample: () => Promise.reject(new Error('no sample here')),
    openExportFolder: async (folder) => ({
      destination: new FolderDestination('out', out.handle),
      privateStorage: folder === null,
      release: async () => {},
    }),
    visitExportFolder: async () => new FolderDestination('out', out.handle),
    exportedFile: async ({ name }) => `file ${name}`,
    storedFiles: async () => [],
    removeStored: async () => {},
    figuresStore: memoryFiguresStore(),
    sizing: SIZING,
    emit,
    ...parts,
  });
  const dispatcher = new Dispatcher(handlers, emit);
  let id = 0;
  const request = <N extends RequestName>(name: N, payload: RequestPayload<N>): Promise<Reply<N>> =>
    new Promise((resolve, reject) => {
      id++;
      pending.set(id, (message) => (message.ok ? resolve(message.reply as Reply<N>) : reject(fromWire(message.error))));
      dispatcher.receive({ id, request: name, payload });
    });
  return { request, events, out };
}

/** A session with the family open. */
export async function openFamily(backends: Partial<BackendFactory> = {}, files = familyFiles(), parts: Partial<SessionParts> = {}) {
  const session = startSession(backends, parts);
  const { checkpoints } = await session.request('open', { files });
  const idOf = (name: string) => checkpoints.find((checkpoint) => checkpoint.name === name)!.id;
  const recipe = tiesRecipe(idOf('base'), idOf('sft'), idOf('ct'));
  const merge = (replace = false, changes: Partial<Recipe> = {}) =>
    session.request('merge', { recipe: { ...recipe, ...changes }, choices: DEFAULT_CHOICES, shardBytes: 2 ** 30, destination: null, replace });
  return { ...session, checkpoints, idOf, recipe, merge };
}
