import type { BackendState, Theme } from '../../state/types';
import { useController, useStudio } from '../studio';
import { BatchPanel } from '../run/BatchPanel';
import { BackendPanel } from './BackendPanel';
import { GuidePanel } from './GuidePanel';
import { HelpPanel } from './HelpPanel';

const NEXT_THEME: Readonly<Record<Theme, Theme>> = { system: 'light', light: 'dark', dark: 'system' };

export function Header() {
  const controller = useController();
  const backend = useStudio((state) => state.backend);
  const { theme, panel } = useStudio((state) => state.view);
  const { state, label } = chipOf(backend);
  return (
    <header className="header">
      <h1>
        <Mark />
        Model merging studio
      </h1>
      <span className="promise">Nothing leaves this machine</span>
      <button
        type="button"
        className="button chip"
        id="backend-chip"
        aria-label={`Backend: ${label}`}
        aria-expanded={panel === 'backend'}
        onClick={() => controller.togglePanel('backend')}
      >
        <span className="dot" data-state={state} aria-hidden="true" />
        <span className="label">{label}</span>
      </button>
      <button type="button" className="button quiet" aria-label={`Theme: ${theme}`} onClick={() => controller.setTheme(NEXT_THEME[theme])}>
        {{ system: 'Theme: system', light: 'Theme: light', dark: 'Theme: dark' }[theme]}
      </button>
      <button type="button" className="button quiet" id="guide-button" aria-expanded={panel === 'guide'} onClick={() => controller.togglePanel('guide')}>
        Guide
      </button>
      <button
        type="button"
        className="button quiet icon"
        id="help-button"
        aria-label="Help"
        aria-keyshortcuts="?"
        aria-expanded={panel === 'help'}
        onClick={() => controller.togglePanel('help')}
      >
        ?
      </button>
      {panel === 'backend' && <BackendPanel />}
      {panel === 'help' && <HelpPanel />}
      {panel === 'guide' && <GuidePanel />}
      {panel === 'batch' && <BatchPanel />}
    </header>
  );
}

/** The chip in a word or two: green is a graphics card, amber works but slowly. */
export function chipOf({ report, problem, starting }: BackendState): { state: 'good' | 'warn' | 'bad' | 'off'; label: string } {
  if (starting) return { state: 'off', label: 'starting' };
  if (report === null) return problem === null ? { state: 'off', label: 'not started' } : { state: 'bad', label: 'not available' };
  const { kind, label, software } = report.info;
  if (kind === 'cpu') return { state: 'warn', label: 'CPU' };
  return software ? { state: 'warn', label: `WebGPU (software), ${label}` } : { state: 'good', label: `WebGPU, ${label}` };
}

/** Two task vectors becoming one. */
function Mark() {
  return (
    <svg width={18} height={18} viewBox="0 0 18 18" fill="none" strokeWidth={2.6} strokeLinecap="round" aria-hidden="true">
      <path d="M2 14c5 0 3.5-5 7.5-5" stroke="var(--ct)" />
      <path d="M2 4c5 0 3.5 5 7.5 5h6.5" stroke="var(--sft)" />
    </svg>
  );
}
