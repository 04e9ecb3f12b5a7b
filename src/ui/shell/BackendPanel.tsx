import { isBusy } from '../../state/types';
import type { BackendInfo } from '../../merge/backend';
import type { BackendChoice } from '../../worker/protocol';
import { ErrorNotice } from '../Notice';
import { useController, useStudio } from '../studio';
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
  const { choice, report, problem, starting } = useStudio((state) => state.backend);
  const busy = useStudio((state) => isBusy(state.job));
  const cause = problem ?? report?.gpuProblem ?? null;
  return (
    <Panel title="Backend" opener="backend-chip">
      <fieldset disabled={busy || starting}>
        <legend className="unseen">Compute with</legend>
        <div className="segments">
          {CHOICES.map((one) => (
            <label key={one.choice}>
              <input type="radio" name="backend" checked={choice === one.choice} onChange={() => void controller.startBackend(one.choice)} />
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
          {report.speeds.length > 0 && (
            <table>
              <caption className="unseen">Speed</caption>
              <thead>
                <tr>
                  <th scope="col">Measured here</th>
                  <th scope="col">Million parameters per second</th>
                </tr>
              </thead>
              <tbody>
                {report.speeds.map(({ kind, label, parametersPerSecond }) => (
                  <tr key={`${kind} ${label}`}>
                    <th scope="row">{kind === 'webgpu' ? `WebGPU, ${label}` : label}</th>
                    <td>{(parametersPerSecond / 1e6).toFixed(1)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
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
      <p className="quiet-text">Which values are kept, elected and reserved is the same on every backend, to the bit.</p>
    </Panel>
  );
}
