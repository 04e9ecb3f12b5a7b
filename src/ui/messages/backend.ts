/** Why a backend computes, with the figures it was chosen by. */
import type { BackendReport, BackendSpeed } from '../../worker/protocol';

/** Million parameters a second. */
export const speedText = ({ parametersPerSecond }: BackendSpeed): string => {
  const millions = parametersPerSecond / 1e6;
  return millions.toFixed(millions < 100 ? 1 : 0);
};

/** One sentence for the panel. */
export function reasonText({ why, info, speeds }: Pick<BackendReport, 'why' | 'info' | 'speeds'>): string {
  const name = (kind: BackendReport['info']['kind']) => (kind === 'webgpu' ? 'WebGPU' : 'the CPU');
  const used = name(info.kind);
  switch (why) {
    case 'faster': {
      const of = (kind: BackendReport['info']['kind']) => speeds.find((speed) => speed.kind === kind);
      const [own, other] = info.kind === 'webgpu' ? [of('webgpu'), of('cpu')] : [of('cpu'), of('webgpu')];
      const times = own && other ? `: ${(own.parametersPerSecond / other.parametersPerSecond).toFixed(1)} times as fast as ${name(other.kind)}` : '';
      return `Automatic chose ${used} by a short merge on both${times}.`;
    }
    case 'unmeasured':
      return `Automatic chose ${used}: one of the two could not be measured.`;
    case 'alone':
      return `Automatic chose ${used} without measuring: there is no graphics card to use, and a software adapter computes on the same cores.`;
    case 'asked':
      return `You chose ${used}.`;
    case 'instead':
      return `The graphics device failed; ${info.kind === 'webgpu' ? 'a new one' : used} took over.`;
    case 'no-room':
      return `The graphics card had no room for the figures; ${used} took over.`;
  }
}
