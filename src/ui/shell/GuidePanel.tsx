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
        What “Unlocking the Potential of Model Merging for Low-Resource Languages” (arXiv 2407.03994) does, as steps. All it takes was trained from one base: SFT
        can do the task but not the language, CT was pre-trained on with text of the language and cannot do the task. Merged, one model does both, without
        training data for the task in that language. A button sets the recipe or opens the chart; Ctrl+Z takes back a recipe.
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
      steps: [
        'Drop the folders of base, SFT and CT. The cards say who is taken for what; change it there.',
        'Of what SFT changed in the base the largest fifth is kept (density k = 0.2), of CT everything (k = 1). Where they pull a value both ways a sign is elected, and only what agrees with it is merged. Do this once for each language.',
      ],
      action: 'TIES, k of SFT 0.2, k of CT 1',
      run: () => controller.applyPreset('paper'),
      missing: unready,
    },
    {
      title: 'SFT and two languages',
      steps: ['Drop the CT checkpoints of both languages beside base and SFT. The CT model that is merged now stays; of the other language the one with the most tokens joins it, both whole (k = 1).'],
      action: 'Merge two languages',
      run: () => controller.mergeTwoLanguages(),
      missing: unready ?? (hasTwo ? null : 'Open a CT checkpoint of a second language.'),
    },
    {
      title: 'Choosing k',
      steps: [
        'The surface shows what every pair of densities would make the election throw away: at 0.01, 0.2, 0.4, 0.6, 0.8 and 1, the grid of the paper, or finer. The point on it is the two sliders; drag it.',
        'It shows what is lost, not how good the model is: for that, export the grid (below) and run your benchmark.',
      ],
      action: 'Open the surface',
      run: () => controller.setChart({ tab: 'surface' }),
      missing: unready,
    },
    {
      title: 'Slack: 4 % of SFT given back',
      steps: [
        'The election also drops SFT values that lost by little. TIES-SV gives these back, closest decision first: at most as many as 4 % of the values SFT keeps.',
        'The slack chart shows what each further percent takes from CT.',
      ],
      action: 'TIES-SV with 4 % slack',
      run: () => {
        controller.applyPreset('paper-slack');
        controller.setChart({ tab: 'slack' });
      },
      missing: unready,
    },
    {
      title: 'A series of CT checkpoints',
      steps: [
        'Drop several checkpoints of one CT run. Their tokens are read from names such as ct-4M or llama-cpt-30B; other numbers can be typed.',
        'Each is merged with the same recipe, and the curve shows which share of the SFT values is discarded as CT sees more tokens: Figure 4 of the paper.',
      ],
      action: 'Open the series',
      run: () => controller.setChart({ tab: 'series' }),
      missing: unready,
    },
    {
      title: 'Many merges, validated elsewhere',
      steps: [
        'Export the grid of densities, or every snapshot you kept, a folder each, ready to load. The inputs are read once for all where memory allows.',
        'Run your benchmark on each folder, put the score into results.csv beside them, and drop that file here: the surface shows the scores.',
      ],
      action: 'Export several…',
      run: () => controller.togglePanel('batch'),
      missing: unready,
    },
  ];
}
