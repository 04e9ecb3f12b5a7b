/** What `export/` needs to know of a merge: from the plan, and from the figures once they are there. */
import { breakDown } from '../analysis/aggregate';
import { isMergedDtype } from '../bytes/dtypes';
import type { OutputDtype } from '../bytes/dtypes';
import { isVocabulary, placeOf } from '../checkpoint/places';
import { MODULE_KINDS } from '../checkpoint/types';
import type { Checkpoint } from '../checkpoint/types';
import type { ExportFigures, ExportInput } from '../export/types';
import type { FitChoices, MergePlan, OutputTensor } from '../merge/plan-types';
import type { RunFigures } from '../merge/run-types';
import type { RecipeText } from '../recipe/mergekit';
import type { Recipe } from '../recipe/types';

export interface ExportSubject {
  /** Of the output folder. */
  readonly name: string;
  /** Name and version of this application. */
  readonly application: string;
  readonly recipe: Recipe;
  readonly text: RecipeText | null;
  readonly choices: FitChoices;
  readonly contents: ReadonlyMap<string, string>;
  readonly checkpoints: readonly Checkpoint[];
  /** Content of config.json, null when there is none. */
  readonly config: Uint8Array | null;
  readonly plan: MergePlan;
}

/** `figures`: of every merged tensor; null before they are counted. */
export function exportInput({ plan, ...subject }: ExportSubject, figures: RunFigures | null): ExportInput {
  const tensors = plan.shards.flatMap((shard) => shard.tensors);
  const values = valuesByDtype(tensors);
  const [dominant = 'F32'] = [...values.keys()].sort((a, b) => values.get(b)! - values.get(a)!);
  const embedding = tensors.find(({ name, shape }) => shape.length === 2 && isVocabulary(name) && placeOf(name).module === 'embed');
  return {
    ...subject,
    output: {
      dtype: values.size === 1 ? dominant : null,
      dominant,
      vocabulary: embedding?.shape[0] ?? null,
      tensors: plan.tensors,
      parameters: plan.parameters,
      bytes: plan.bytesWritten,
    },
    figures: figures === null || figures.size === 0 ? null : exportFigures(figures, subject.recipe.models.length),
  };
}

/** The recipe's checkpoints: base, models in order, and the one whose tokenizer is carried; each once. */
export function checkpointsOf({ base, models, rules, tokenizerFrom }: Recipe, open: readonly Checkpoint[]): Checkpoint[] {
  const ids = new Set([base, ...models.map(({ model }) => model), ...rules.map(({ from }) => from ?? null), tokenizerFrom]);
  return [...ids].flatMap((id) => open.find((checkpoint) => checkpoint.id === id) ?? []);
}

/** Values of each floating dtype that is written. */
function valuesByDtype(tensors: readonly OutputTensor[]): ReadonlyMap<OutputDtype, number> {
  const values = new Map<OutputDtype, number>();
  for (const { dtype, shape } of tensors) {
    if (!isMergedDtype(dtype) || dtype === 'F64') continue;
    const count = shape.reduce((product, dimension) => product * dimension, 1);
    values.set(dtype, (values.get(dtype) ?? 0) + count);
  }
  return values;
}

/** Layers as the charts group them. */
function exportFigures(figures: RunFigures, models: number): ExportFigures {
  const counts = [...figures].map(([tensor, result]) => ({ tensor, figures: result.figures, exact: true }));
  const { total, layers } = breakDown(counts, placeOf, MODULE_KINDS, models);
  return {
    exact: true,
    whole: total.figures,
    layers: layers.map(({ key, aggregate }) => ({ label: key, counts: aggregate.figures })),
  };
}
