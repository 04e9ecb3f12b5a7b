/** What a report of a miscalculating or unwelcome adapter has to say, as plain text to be copied. */
import type { WireError } from '../../bytes/errors';
import type { BackendReport } from '../../worker/protocol';
import { reasonText, speedText } from './backend';

export interface ReportInput {
  /** Name and version of this application. */
  readonly application: string;
  /** As the browser names itself. */
  readonly browser: string;
  readonly report: BackendReport | null;
  /** Why what was chosen could not be started. */
  readonly problem: WireError | null;
}

/** Nothing of any checkpoint: the application, the browser, the adapter with its limits, and the self-test pass by pass. */
export function backendReport({ application, browser, report, problem }: ReportInput): string {
  const faults = [problem, report?.gpuProblem ?? null].filter((fault) => fault !== null);
  const lines = [application, browser, ...faults.map(({ code, reason, message }) => `${code} ${reason}: ${message}`)];
  if (report === null) return `${lines.join('\n')}\n`;
  const { info, adapter, selfTest, speeds } = report;
  lines.push(`In use: ${info.kind}, ${info.label}${info.software ? ' (software)' : ''}, arithmetic ${info.arithmetic}. ${reasonText(report)}`);
  lines.push(...speeds.map((speed) => `Measured: ${speed.kind}, ${speed.label}, ${speedText(speed)} million parameters a second`));
  if (selfTest.length > 0) lines.push('', 'Self-test', ...selfTest.map(({ pass, ok, detail }) => `  ${ok ? 'right' : 'WRONG'} ${pass}: ${detail}`));
  if (adapter) {
    const { vendor, architecture, device, description, features, limits } = adapter;
    lines.push('', 'Adapter', `  vendor ${JSON.stringify(vendor)}, architecture ${JSON.stringify(architecture)}, device ${JSON.stringify(device)}, description ${JSON.stringify(description)}`);
    lines.push(`  features: ${features.join(', ') || 'none'}`, ...Object.entries(limits).map(([name, value]) => `  ${name} ${value}`));
  }
  return `${lines.join('\n')}\n`;
}
