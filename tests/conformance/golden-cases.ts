/** The golden cases of tests/fixtures/golden (its README says how they were made), as slots of one group. */
import type { MergedDtype, OutputDtype } from '../../src/bytes/dtypes';
import type { Method, TensorParameters } from '../../src/recipe/types';
import { loadFixture, loadJson } from './fixtures';
import type { Input, SlotCase } from './harness';
import { elementsOf, readSafetensors, type Tensor } from './safetensors';

export interface ExpectedTrim {
  readonly k: number;
  readonly kept_all?: boolean;
  readonly threshold?: number;
  readonly above?: number;
  readonly tied?: number;
  readonly tied_kept?: number;
  readonly nonzero_kept: number;
}

export interface ExpectedTensor {
  readonly shape: readonly number[];
  readonly numel: number;
  readonly params?: Readonly<Record<string, { weight: number; density: number }>>;
  readonly global?: { readonly lambda: number; readonly normalize: boolean };
  readonly trim?: Readonly<Record<string, ExpectedTrim>>;
  readonly counts?: Readonly<Record<string, number>>;
  readonly reserved_flat_indices_first16?: readonly number[];
}

interface CaseFile {
  readonly method: Method;
  readonly models: readonly string[];
  readonly model_parameters: Readonly<Record<string, { weight: number; density?: number }>>;
  readonly parameters: {
    readonly normalize: boolean;
    readonly lambda?: number;
    readonly rescale?: boolean;
    readonly slack?: { readonly s: number; readonly of: 'retained' | 'discarded'; readonly prefer: string };
  };
  readonly compare: string;
  readonly expected_native?: string | null;
  readonly tensors: Readonly<Record<string, ExpectedTensor>>;
}

export interface GoldenCase {
  readonly id: string;
  readonly method: Method;
  readonly models: readonly string[];
  readonly compare: string;
  readonly tensors: CaseFile['tensors'];
  /** Tensors with at least one element, all written as F32. */
  readonly slots: readonly SlotCase[];
  /** By tensor name: F32, or null for the tensor that MergeKit refuses (ties_33). */
  readonly expected: ReadonlyMap<string, Tensor>;
  /** 16-bit dtype of the base, or null. */
  readonly native: OutputDtype | null;
  /** Stored outputs in the native dtype that are rounded f32 results; only the ties_sv cases have them. */
  readonly expectedNative: ReadonlyMap<string, Tensor> | null;
}

/** All cases of the four methods, in the order of the index. */
export async function loadGoldenCases(): Promise<GoldenCase[]> {
  const index = await loadJson<{ cases: { id: string }[] }>('golden/index.json');
  return Promise.all(index.cases.map(({ id }) => loadGoldenCase(id)));
}

/** One case by its folder, listed in the index or not. */
export async function loadGoldenCase(id: string): Promise<GoldenCase> {
  const load = async (file: string) => readSafetensors(await loadFixture(`golden/${id}/${file}.safetensors`));
  const file = await loadJson<CaseFile>(`golden/${id}/case.json`);
  const base = file.method === 'linear' ? null : await load('base');
  const models = await Promise.all(file.models.map(load));
  const shapes = base ?? models[0]!;
  const names = [...shapes.keys()].filter((name) => elementsOf(shapes.get(name)!) > 0);
  const slots = names.map((name): SlotCase => {
    const target = shapes.get(name)!;
    return {
      name,
      elements: elementsOf(target),
      inputs: [base?.get(name) ?? null, ...models.map((model) => fitInput(name, target, model.get(name)!))],
      outDtype: 'F32',
      parameters: parametersOf(file, file.tensors[name]!),
    };
  });
  const native = nativeDtype([...shapes.values()][0]!.dtype);
  return {
    id,
    method: file.method,
    models: file.models,
    compare: file.compare,
    tensors: file.tensors,
    slots,
    expected: await load('expected'),
    native,
    expectedNative: file.method === 'ties_sv' && file.expected_native ? await load(file.expected_native) : null,
  };
}

/** Embeddings with more rows are cut to the base's; any other difference of shape leaves the model out (ties_41). */
function fitInput(name: string, target: Tensor, tensor: Tensor): Input | null {
  if (tensor.shape.join() === target.shape.join()) return tensor;
  const rowsOnly = tensor.shape.slice(1).join() === target.shape.slice(1).join();
  if (!/embed_tokens|lm_head/.test(name) || !rowsOnly || tensor.shape[0]! < target.shape[0]!) return null;
  const bytes = (tensor.bytes.byteLength / elementsOf(tensor)) * elementsOf(target);
  return { dtype: tensor.dtype, bytes: tensor.bytes.slice(0, bytes) };
}

function nativeDtype(dtype: MergedDtype): OutputDtype | null {
  return dtype === 'F16' || dtype === 'BF16' ? dtype : null;
}

function parametersOf(file: CaseFile, tensor: ExpectedTensor): TensorParameters {
  const ofModel = (model: string) => tensor.params?.[model] ?? file.model_parameters[model]!;
  const { slack } = file.parameters;
  return {
    weight: file.models.map((model) => ofModel(model).weight),
    density: file.models.map((model) => ofModel(model).density ?? 1),
    lambda: tensor.global?.lambda ?? file.parameters.lambda ?? 1,
    normalize: tensor.global?.normalize ?? file.parameters.normalize,
    rescale: file.parameters.rescale ?? false,
    ...(slack ? { slack: { s: slack.s, of: slack.of, prefer: file.models.indexOf(slack.prefer) } } : {}),
  };
}
