/** Getting a device: the causes of not getting one, told apart, and the adapter's real limits asked for. */
import { GpuUnavailableError } from '../bytes/errors';
import type { AdapterFacts } from '../merge/backend';

export interface StudioDevice {
  readonly device: GPUDevice;
  /** For people: vendor, architecture or description of the adapter. */
  readonly label: string;
  /** WebGPU done by the CPU. */
  readonly software: boolean;
  readonly adapter: AdapterFacts;
}

/** Limits the engine uses; every adapter's defaults suffice, more is used where it is there. */
const WANTED = ['maxStorageBufferBindingSize', 'maxBufferSize'] as const;

/** Throws GpuUnavailableError with the cause. `gpu` defaults to the page's or worker's own; Node passes the `webgpu` package's. */
export async function requestStudioDevice(gpu?: GPU): Promise<StudioDevice> {
  const provider = gpu ?? (globalThis.navigator as Navigator | undefined)?.gpu;
  if (!provider) {
    if (globalThis.isSecureContext === false) {
      throw new GpuUnavailableError('insecure-page', 'WebGPU needs a secure page: https or localhost');
    }
    throw new GpuUnavailableError('no-webgpu', 'this browser has no WebGPU');
  }
  const adapter = await provider.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new GpuUnavailableError('no-adapter', 'WebGPU found no adapter');
  const requiredLimits = Object.fromEntries(WANTED.map((name) => [name, adapter.limits[name]]));
  let device: GPUDevice;
  try {
    device = await adapter.requestDevice({ label: 'studio', requiredLimits });
  } catch (error) {
    throw new GpuUnavailableError('no-device', `the adapter gave no device: ${String(error)}`);
  }
  const { vendor, architecture, description } = adapter.info;
  const label = description || [vendor, architecture].filter(Boolean).join(' ') || 'unnamed adapter';
  const fallback = (adapter.info as { isFallbackAdapter?: boolean }).isFallbackAdapter === true;
  return { device, label, software: fallback || /swiftshader|llvmpipe|basic render|software/i.test(`${label} ${architecture}`), adapter: factsOf(adapter) };
}

function factsOf({ info, features, limits }: GPUAdapter): AdapterFacts {
  const { vendor, architecture, device, description } = info;
  // Limits are getters of the prototype.
  const numbers: Record<string, number> = {};
  for (const name in limits) {
    const value: unknown = limits[name as keyof GPUSupportedLimits];
    if (typeof value === 'number') numbers[name] = value;
  }
  return { vendor, architecture, device, description, features: [...features].sort(), limits: numbers };
}
