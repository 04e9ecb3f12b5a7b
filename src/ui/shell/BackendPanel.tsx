import { isBusy } from '../../state/types';
import type { BackendInfo } from '../../merge/backend';
import type { BackendChoice, BackendReport } from '../../worker/protocol';
import { ErrorNotice } from '../Notice';
import { reasonText, speedText } from '../messages/backend';
import { useController, useStudio } from '../studio';
import { CopyReport } from './CopyReport';
import { MemoryChoice } from './MemoryChoice';
import { Panel } from './Panel';

const CHOICES: readonly { choice: BackendChoice; label: string }[] = [
  { choice: 'auto', label: 'Automatic' },
  { choice: 'webgpu', label: 'WebGPU' },
  { choice: 'cpu', label: 'CPU' },
];

const ARITHMETIC: Readonly<Record<BackendInfo['arithmetic'], string>> = {
  native: "The processor's own, exact",
  guarded: "The adapter's float units, found exact by a probe; integers for subnormals and other edges",
  integer: 'Integer operations, exact on every adapter',
};

/** What computes, how it was checked, and why it is not something faster. */
export function BackendPanel() {
  const controller = useController();
  const { choice, report, problem, starting, measuring } = useStudio((state) => state.backend);
  const busy = useStudio((state) => isBusy(state.job));
  const cause = problem ?? report?.gpuProblem ?? null;
  return (
    <Panel title="Backend" opener="backend-chip">
      <fieldset disabled={busy || starting || measuring}>
        <legend className="unseen">Compute with</legend>
        <div className="segments">
          {CHOICES.map((one) => (
            <label key={one.choice}>
              <input
                type="radio"
                name="backend"
                checked={choice === one.choice}
                onChange={() => void controller.startBackend(one.choice)}
                // What was refused or lost is tried again; a radio that is checked does not change.
                onClick={() => choice === one.choice && cause !== null && void controller.startBackend(one.choice)}
              />
              {one.label}
            </label>
          ))}
        </div>
      </fieldset>
      {starting && (
        <p className="row" role="status">
          <span className="spinner" aria-hidden="true" /> Starting and testing the backend.
        </p>
      )}
      {cause && <ErrorNotice error={cause} grave="warn" role="status" />}
      {report && !starting && (
        <>
          <p>{reasonText(report)}</p>
          <table>
            <tbody>
              <tr>
                <th scope="row">In use</th>
                <td>{report.info.kind === 'webgpu' ? `WebGPU, ${report.info.label}` : report.info.label}</td>
              </tr>
              <tr>
                <th scope="row">Hardware</th>
                <td>{report.info.kind === 'cpu' ? 'Processor' : report.info.software ? 'Software adapter: WebGPU computed on the processor' : 'Graphics card'}</td>
              </tr>
              <tr>
                <th scope="row">Arithmetic</th>
                <td>{ARITHMETIC[report.info.arithmetic]}</td>
              </tr>
            </tbody>
          </table>
          <Speeds report={report} />
          <p className="row">
            <button type="button" className="button small" disabled={busy || measuring} onClick={() => void controller.calibrate()}>
              Measure both
            </button>
            {measuring && (
              <span role="status">
                <span className="spinner" aria-hidden="true" /> Merging 1 million values on each.
              </span>
            )}
          </p>
          {report.selfTest.length > 0 && (
            <table>
              <caption className="unseen">Self-test</caption>
              <thead>
                <tr>
                  <th scope="col">Self-test</th>
                  <th scope="col">Result</th>
                </tr>
              </thead>
              <tbody>
                {report.selfTest.map(({ pass, ok, detail }) => (
                  <tr key={pass}>
                    <th scope="row">{pass}</th>
                    <td data-ok={ok}>
                      {ok ? '✓' : '✗'} {detail || (ok ? 'as the reference' : 'differs from the reference')}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </>
      )}
      {!starting && (
        <div className="row">
          <CopyReport />
        </div>
      )}
      <MemoryChoice disabled={busy || starting || measuring} />
      <p className="quiet-text">Which values are kept, elected and reserved is the same on every backend, to the bit.</p>
    </Panel>
  );
}

/** What was measured of each kind, and that it was not. */
function Speeds({ report: { speeds } }: { readonly report: BackendReport }) {
  const missing = (['webgpu', 'cpu'] as const).filter((kind) => !speeds.some((speed) => speed.kind === kind));
  return (
    <table>
      <caption className="unseen">Speed</caption>
      <thead>
        <tr>
          <th scope="col">Measured here</th>
          <th scope="col">Million parameters per second</th>
        </tr>
      </thead>
      <tbody>
        {speeds.map((speed) => (
          <tr key={`${speed.kind} ${speed.label}`}>
            <th scope="row">{speed.kind === 'webgpu' ? `WebGPU, ${speed.label}` : speed.label}</th>
            <td>{speedText(speed)}</td>
          </tr>
        ))}
        {missing.map((kind) => (
          <tr key={kind}>
            <th scope="row">{kind === 'webgpu' ? 'WebGPU' : 'CPU'}</th>
            <td>not measured</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
