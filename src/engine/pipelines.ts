/** Compute pipelines of one device, compiled once per pass and set of overrides. */
import { StudioError } from '../bytes/errors';
import { BINS } from './layout';
import type { Arithmetic, F32Library, ShaderName } from './shaders';
import { shaderText } from './shaders';

/** What a shader does with each of its bindings; 8 is always the Work uniform with a dynamic offset. */
export type Access = 'read' | 'write';
export interface PassShape {
  readonly shader: ShaderName;
  readonly entry: string;
  /** Storage bindings by number. */
  readonly storage: Readonly<Record<number, Access>>;
  readonly work: boolean;
}
/** Values of `override` constants; those the shader does not declare are left out. */
export type Overrides = Readonly<Record<string, number>>;

/** What the shaders are specialised for on an adapter. */
export interface AdapterTraits {
  readonly arithmetic: Arithmetic;
  /** Division by the float units too. */
  readonly exactDivision: boolean;
  /** WebGPU done by the CPU. */
  readonly software?: boolean;
}

export interface Pipeline {
  /** Shader, entry and overrides: what its time depends on. */
  readonly label: string;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** A pass over blocks: by float units, with what they could get wrong done again by integers; or by integers at once. */
export interface BlockPass {
  readonly shape: PassShape;
  readonly main: Pipeline;
  /** Over the blocks that `main` noted; null where it notes none. */
  readonly repair: { readonly pipeline: Pipeline; readonly list: Pipeline } | null;
}

/** Lists the noted blocks: a part of every pass that has a repair. */
export const LIST: PassShape = { shader: 'repairs', entry: 'list', storage: { 1: 'read', 3: 'write', 5: 'write', 6: 'write', 7: 'write' }, work: true };

const perDevice = new WeakMap<GPUDevice, Map<string, Pipelines>>();

export class Pipelines {
  /** The pipelines of a device and what was found out about it: every backend on the device shares them. */
  static of(device: GPUDevice, traits: AdapterTraits): Pipelines {
    const known = perDevice.get(device) ?? new Map<string, Pipelines>();
    perDevice.set(device, known);
    const key = JSON.stringify(traits);
    const pipelines = known.get(key) ?? new Pipelines(device, traits);
    known.set(key, pipelines);
    return pipelines;
  }

  private readonly modules = new Map<string, Promise<{ module: GPUShaderModule; declared: ReadonlySet<string> }>>();
  private readonly pipelines = new Map<string, Promise<Pipeline>>();

  private constructor(
    private readonly device: GPUDevice,
    private readonly traits: AdapterTraits,
  ) {}

  /** The pipelines of a pass over blocks. Throws as `get` does. */
  async overBlocks(shape: PassShape, overrides: Overrides): Promise<BlockPass> {
    const floats = this.traits.arithmetic === 'guarded' && overrides['EXACT'] !== 1;
    if (!floats) return { shape, main: await this.get(shape, overrides), repair: null };
    const [main, pipeline, list] = await Promise.all([this.get(shape, overrides, 'float'), this.get(shape, overrides, 'repair'), this.get(LIST, {})]);
    return { shape, main, repair: { pipeline, list } };
  }

  /** The pipeline of a pass whose operands can be anything and which leaves nothing to repair. Throws as `get` does. */
  async atOnce(shape: PassShape, overrides: Overrides): Promise<BlockPass> {
    return { shape, main: await this.get(shape, overrides, this.traits.arithmetic), repair: null };
  }

  /** By integers where nothing else is said. Throws StudioError `internal` with the compiler's lines and their source when the shader does not compile. */
  get(shape: PassShape, overrides: Overrides, f32: F32Library = 'integer'): Promise<Pipeline> {
    const key = `${shape.shader}/${shape.entry} ${f32} ${JSON.stringify(overrides)}`;
    return cached(this.pipelines, key, async () => {
      const { module, declared } = await this.module(shape.shader, overrides, f32);
      const layout = this.device.createBindGroupLayout({ label: `${shape.shader} layout`, entries: layoutEntries(shape) });
      const all = { ...overrides, EXACT_DIVISION: this.traits.exactDivision ? 1 : 0, SHARED_BINS: this.traits.software ? 1 : BINS };
      const constants = Object.fromEntries(Object.entries(all).filter(([name]) => declared.has(name)));
      const pipeline = await this.device.createComputePipelineAsync({
        label: key,
        layout: this.device.createPipelineLayout({ label: key, bindGroupLayouts: [layout] }),
        compute: { module, entryPoint: shape.entry, constants },
      });
      return { label: key, pipeline, layout };
    });
  }

  private module(name: ShaderName, overrides: Overrides, f32: F32Library) {
    const pairs = (overrides['MODELS'] ?? 0) > 2;
    const draws = overrides['DRAWS'] === 1;
    return cached(this.modules, `${name} ${f32} ${pairs} ${draws}`, async () => {
      const code = shaderText(name, { f32, pairs, draws });
      const module = this.device.createShaderModule({ label: name, code });
      const { messages } = await module.getCompilationInfo();
      const errors = messages.filter((message) => message.type === 'error');
      if (errors.length > 0) {
        const lines = code.split('\n');
        const report = errors.map((error) => `${name}:${error.lineNum}: ${error.message}\n    ${lines[error.lineNum - 1] ?? ''}`);
        throw new StudioError('internal', 'shader-compile', report.join('\n'), { names: [name] });
      }
      const declared = new Set([...code.matchAll(/^override (\w+)/gm)].map((match) => match[1]!));
      return { module, declared };
    });
  }
}

/** The value under `key`, made once; a failure leaves the cache, so that the next caller tries again. */
function cached<K, V>(cache: Map<K, Promise<V>>, key: K, make: () => Promise<V>): Promise<V> {
  const known = cache.get(key);
  if (known) return known;
  const made = make();
  cache.set(key, made);
  made.catch(() => cache.delete(key));
  return made;
}

function layoutEntries(shape: PassShape): GPUBindGroupLayoutEntry[] {
  const entries: GPUBindGroupLayoutEntry[] = Object.entries(shape.storage).map(([binding, access]) => ({
    binding: Number(binding),
    visibility: GPUShaderStage.COMPUTE,
    buffer: { type: access === 'read' ? 'read-only-storage' : 'storage' },
  }));
  if (shape.work) {
    entries.push({ binding: 8, visibility: GPUShaderStage.COMPUTE, buffer: { type: 'uniform', hasDynamicOffset: true } });
  }
  return entries;
}
