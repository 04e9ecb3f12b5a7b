/** The two forms a MergeKit file lists its models in: `models`, and `slices` that put whole models together again. */
import { isScalar } from 'yaml';
import type { Entry, YamlReader } from './yaml-read';

/** A model as listed, with the parameters that are its own. */
export interface ModelEntry {
  /** Undefined where the entry names none. */
  readonly model: Entry | undefined;
  readonly line: number;
  readonly parameters: ReadonlyMap<string, Entry>;
}
/** A run of layers and what is merged there. The `models` form is one slice of all layers. */
export interface ModelSlice {
  readonly line: number;
  readonly models: readonly ModelEntry[];
  /** Of all its models: below a model's own, above the recipe's. */
  readonly parameters: ReadonlyMap<string, Entry>;
  /** Layers [begin, end); null for all. */
  readonly layers: Layers | null;
}
export interface Layers {
  readonly begin: number;
  readonly end: number;
}

/**
 * The models of either form. Slices must cover layers from 0 on, in order and without a gap, each with one range for all its
 * models; anything else assembles another network, and is an error at its line. Where the last layer is, only the models know.
 */
export function readForms(yaml: YamlReader, top: ReadonlyMap<string, Entry>): ModelSlice[] {
  const [models, slices] = [top.get('models'), top.get('slices')];
  if (slices === undefined) {
    return [{ line: models?.line ?? yaml.root.line, models: entriesOf(yaml, models, 'models', ['model', 'parameters']), parameters: new Map(), layers: null }];
  }
  if (models !== undefined) yaml.error('forms-both', 'models and slices are both there', Math.max(models.line, slices.line), { names: ['models', 'slices'] });
  let end = 0;
  return yaml.list(slices, 'slices').map((item) => {
    const fields = yaml.map(item, 'slice');
    yaml.unknownKeys(fields, ['sources', 'parameters'], 'slices.');
    const sources = yaml.list(fields.get('sources'), 'sources');
    const layers = sharedLayers(yaml, sources);
    if (layers !== null) {
      const where = { names: ['layer_range'], expected: end, actual: layers.begin };
      if (layers.begin !== end) yaml.error('layers-not-whole', `layers ${layers.begin} follow where ${end} should`, layers.line, where);
      end = layers.end;
    }
    return {
      line: item.line,
      models: entriesOf(yaml, fields.get('sources'), 'slices.sources', ['model', 'layer_range', 'parameters']),
      parameters: yaml.map(fields.get('parameters'), 'parameters'),
      layers,
    };
  });
}

function entriesOf(yaml: YamlReader, entry: Entry | undefined, what: string, known: readonly string[]): ModelEntry[] {
  return yaml.list(entry, what).map((item) => {
    const fields = yaml.map(item, 'model');
    yaml.unknownKeys(fields, known, `${what}.`);
    const model = fields.get('model');
    if (model === undefined) yaml.error('model-missing', `an entry of ${what} has no model`, item.line, { names: ['model'] });
    return { model, line: item.line, parameters: yaml.map(fields.get('parameters'), 'parameters') };
  });
}

/** The one range of all sources of a slice; null where there is none, which is an error. */
function sharedLayers(yaml: YamlReader, sources: readonly Entry[]): (Layers & { readonly line: number }) | null {
  let shared: (Layers & { readonly line: number }) | null = null;
  for (const source of sources) {
    const entry = yaml.map(source, 'model').get('layer_range');
    const range = readRange(yaml, entry, source.line);
    if (range === null) return null;
    const line = entry!.line;
    shared ??= { ...range, line };
    if (range.begin === shared.begin && range.end === shared.end) continue;
    const where = { names: ['layer_range'], expected: `[${shared.begin}, ${shared.end}]`, actual: `[${range.begin}, ${range.end}]` };
    yaml.error('layers-differ', `layer_range ${where.actual} beside ${where.expected}`, line, where);
    return null;
  }
  return shared;
}

function readRange(yaml: YamlReader, entry: Entry | undefined, line: number): Layers | null {
  const ends = entry === undefined ? [] : yaml.list(entry, 'layer_range').map(({ node }) => (isScalar(node) ? node.value : undefined));
  const [begin, end] = ends;
  if (ends.length === 2 && Number.isSafeInteger(begin) && Number.isSafeInteger(end) && Number(begin) >= 0 && Number(begin) < Number(end)) {
    return { begin: Number(begin), end: Number(end) };
  }
  yaml.error('layer-range-malformed', 'layer_range is no pair of layers', entry?.line ?? line, { names: ['layer_range'], expected: '[first, end]' });
  return null;
}
