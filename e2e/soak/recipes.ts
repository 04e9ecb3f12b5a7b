/** Random recipes over the sample family, as a person would paste them: MergeKit's YAML. */

/** Equally likely numbers in [0, 1) from a seed (mulberry32): the same seed is the same soak. */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Every method, those of the paper twice. */
export const METHODS = [
  'ties', 'ties_sv', 'ties', 'ties_sv', 'linear', 'task_arithmetic', 'dare_linear', 'dare_ties', 'slerp', 'nuslerp', 'model_stock',
  'breadcrumbs', 'breadcrumbs_ties', 'della', 'della_linear', 'sce',
] as const;
export const OUT_DTYPES = { bfloat16: 'BF16', float16: 'F16', float32: 'F32' } as const;
const TASK_MODELS = ['sft', 'ct-x-256k', 'ct-x-4M', 'ct-y-1M'] as const;
const PRESETS = ['Paper', 'Paper + slack 4 %', 'MergeKit defaults', 'WAVG', 'Task arithmetic'] as const;

export interface Mix {
  readonly method: (typeof METHODS)[number];
  /** Pressed after the recipe is pasted, which it then changes. */
  readonly preset: (typeof PRESETS)[number] | null;
  readonly models: readonly { readonly name: string; readonly weight: number; readonly density: number }[];
  readonly lambda: number;
  readonly t: number;
  readonly scope: 'tensor' | 'model';
  readonly slack: { readonly s: number; readonly of: 'retained' | 'discarded' };
  readonly seed: number;
  readonly out: keyof typeof OUT_DTYPES;
  /** Tensors whose names hold this stay the base's. */
  readonly keepBase: string | null;
}

const needsTwo = (method: Mix['method']) => method === 'slerp' || method === 'nuslerp';
const trims = (method: Mix['method']) => method === 'ties' || method === 'ties_sv';
const drops = (method: Mix['method']) => method === 'dare_linear' || method === 'dare_ties';
const isDella = (method: Mix['method']) => method === 'della' || method === 'della_linear';
const isBreadcrumbs = (method: Mix['method']) => method === 'breadcrumbs' || method === 'breadcrumbs_ties';

export function drawMix(random: () => number): Mix {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const hundredths = (low: number, high: number) => Math.round(100 * (low + random() * (high - low))) / 100;
  const method = pick(METHODS);
  const preset = trims(method) && random() < 0.25 ? pick(PRESETS) : null;
  const others = TASK_MODELS.slice(1).sort(() => random() - 0.5);
  const count = needsTwo(method) || method === 'dare_linear' ? 2 : pick([2, 2, 3]);
  const models = ['sft', ...others].slice(0, count).map((name) => ({ name, weight: hundredths(0.2, 1.5), density: hundredths(0.02, 1) }));
  return {
    method,
    preset,
    models,
    lambda: hundredths(0.3, 1.5),
    t: hundredths(0, 1),
    scope: trims(method) && random() < 0.25 ? 'model' : 'tensor',
    slack: { s: hundredths(0, 0.3), of: pick(['retained', 'discarded'] as const) },
    seed: Math.floor(random() * 2 ** 32),
    // What DARE drew can be told from its values only where they are not rounded.
    out: method === 'dare_linear' ? 'float32' : pick(['bfloat16', 'bfloat16', 'float16', 'float32'] as const),
    keepBase: random() < 0.2 ? pick(['norm', 'embed_tokens', 'layers.3.']) : null,
  };
}

export function yamlOf({ method, models, lambda, t, scope, slack, seed, out, keepBase }: Mix): string {
  const lines = [`merge_method: ${method === 'ties_sv' ? 'ties' : method}`];
  if (method === 'slerp') lines.push(`base_model: ${models[0]!.name}`);
  else if (method !== 'linear') lines.push('base_model: base');
  lines.push('models:');
  for (const { name, weight, density } of models) {
    lines.push(`  - model: ${name}`);
    if (method === 'slerp' || method === 'model_stock' || method === 'sce') continue;
    lines.push('    parameters:', `      weight: ${weight}`);
    if (trims(method) || drops(method) || isDella(method) || isBreadcrumbs(method)) lines.push(`      density: ${density}`);
    if (isDella(method)) lines.push('      epsilon: 0.1');
    if (isBreadcrumbs(method)) lines.push('      gamma: 0.02');
  }
  if (method === 'slerp') lines.push('parameters:', `  t: ${t}`);
  else if (trims(method)) lines.push('parameters:', `  lambda: ${lambda}`, '  normalize: true');
  else if (method === 'sce') lines.push('parameters:', `  select_topk: ${t === 0 ? 1 : t}`);
  else if (drops(method) || isDella(method) || isBreadcrumbs(method) || method === 'task_arithmetic') lines.push('parameters:', `  lambda: ${lambda}`, '  normalize: false');
  lines.push('dtype: float32', `out_dtype: ${out}`, 'x_merging_studio:', '  version: 1', '  base_model: base');
  if (method === 'ties_sv') lines.push('  method: ties_sv', `  slack: {s: ${slack.s}, of: ${slack.of}, prefer: ${models[0]!.name}}`);
  if (scope === 'model') lines.push('  scope: {trim: model, slack: model}');
  if (drops(method)) lines.push(`  drop: {seed: ${seed}, rescale_by: density}`);
  if (keepBase !== null) lines.push(`  rules: [{filter: "${keepBase}", action: keep-base}]`);
  return `${lines.join('\n')}\n`;
}

/** The recipe once its preset is pressed: what the presets of the page are said to be. */
export function afterPreset(mix: Mix): Mix {
  const evenly = (density: (name: string) => number) => mix.models.map(({ name }) => ({ name, weight: 1, density: density(name) }));
  const paper = evenly((name) => (name === 'sft' ? 0.2 : 1));
  switch (mix.preset) {
    case null:
      return mix;
    case 'Paper':
      return { ...mix, method: 'ties', models: paper, lambda: 1 };
    case 'Paper + slack 4 %':
      return { ...mix, method: 'ties_sv', models: paper, lambda: 1, slack: { s: 0.04, of: 'retained' } };
    case 'MergeKit defaults':
      return { ...mix, method: 'ties', models: evenly(() => 1), lambda: 1 };
    case 'WAVG':
      return { ...mix, method: 'linear', models: evenly(() => 1), lambda: 1, scope: 'tensor' };
    case 'Task arithmetic':
      return { ...mix, method: 'task_arithmetic', models: evenly(() => 1), lambda: 1, scope: 'tensor' };
  }
}
