import { useMemo } from 'react';
import { isMergeable, withTwoLanguages } from '../../state/decisions';
import { isBusy } from '../../state/types';
import { useController, useStudio } from '../studio';
import { Panel } from './Panel';

interface Workflow {
  readonly title: string;
  /** Sentences, in the order of doing. */
  readonly steps: readonly string[];
  readonly action: string;
  readonly run: () => void;
  /** What is missing before it can be done; null: nothing. */
  readonly missing: string | null;
}

const NOTHING_OPEN = 'Open a base, an SFT and a CT checkpoint first, or the sample family.';

/** The paper's workflows as short steps, each with the button that sets it up. */
export function GuidePanel() {
  const workflows = useWorkflows();
  return (
    <Panel title="Guide" opener="guide-button">
      <p className="quiet-text">
        What arXiv 2407.03994 does, step by step: SFT is the model that can follow instructions, CT a continually pre-trained one that knows a language. A
        button sets the recipe or opens the chart; Ctrl+Z takes it back.
      </p>
      <ol className="guide">
        {workflows.map(({ title, steps, action, run, missing }) => (
          <li key={title}>
            <h3>{title}</h3>
            {steps.map((step) => (
              <p key={step}>{step}</p>
            ))}
            <button type="button" className="button small" disabled={missing !== null} onClick={run}>
              {action}
            </button>
            {missing !== null && <p className="quiet-text">{missing}</p>}
          </li>
        ))}
      </ol>
    </Panel>
  );
}

function useWorkflows(): Workflow[] {
  const controller = useController();
  const open = useStudio((state) => state.checkpoints.open);
  const decisions = useStudio((state) => state.decisions.present);
  const busy = useStudio((state) => isBusy(state.job));
  const hasTwo = useMemo(() => withTwoLanguages(decisions, open) !== null, [decisions, open]);
  const unready = busy ? 'A job is running.' : isMergeable(decisions) ? null : NOTHING_OPEN;
  return [
    {
      title: 'SFT and CT of one language',
      steps: ['Drop the three folders; the cards show who is base, SFT and CT.', 'Keep a fifth of the SFT changes and all of the CT ones, elect a sign for each value, then merge. Once per language.'],
      action: 'TIES, k of SFT 0.2, k of CT 1',
      run: () => controller.applyPreset('paper'),
      missing: unready,
    },
    {
      title: 'SFT and two languages',
      steps: ['Drop the CT checkpoints of both languages. Of each run the last one takes part.'],
      action: 'Merge two languages',
      run: () => controller.mergeTwoLanguages(),
      missing: unready ?? (hasTwo ? null : 'Open CT checkpoints of two runs.'),
    },
    {
      title: 'Choosing k',
      steps: ['The surface shows what each pair of densities would throw away, on the grid 0.01 to 1 of the paper and between. Drag the point: it is the sliders.'],
      action: 'Open the surface',
      run: () => controller.setChart({ tab: 'surface' }),
      missing: unready,
    },
    {
      title: 'Slack: 4 % of SFT given back',
      steps: ['TIES-SV gives SFT back a share of the values the election took from it, where that costs CT least. The slack chart shows the cost of each percent.'],
      action: 'TIES-SV with 4 % slack',
      run: () => {
        controller.applyPreset('paper-slack');
        controller.setChart({ tab: 'slack' });
      },
      missing: unready,
    },
    {
      title: 'A series of CT checkpoints',
      steps: ['Drop checkpoints of one run after more and more tokens. Names such as ct-4M are read; other numbers can be typed.', 'Figure 4: how conflicts grow with the tokens.'],
      action: 'Open the series',
      run: () => controller.setChart({ tab: 'series' }),
      missing: unready,
    },
    {
      title: 'Many merges, validated elsewhere',
      steps: ['Export the whole grid, or all snapshots, a folder each; the inputs are read once where memory allows.', 'Run your benchmarks, write the scores into results.csv beside the folders and drop it here: the surface shows them.'],
      action: 'Export several…',
      run: () => controller.togglePanel('batch'),
      missing: unready,
    },
  ];
}
