/** adapter_config.json of PEFT: what is needed to form a LoRA adapter's values, and what makes one more than that. */
import { invalidUtf8At } from '../bytes/utf8';
import { matchesEnd, readPattern, type NamePattern } from './adapter-patterns';
import { MAX_CONFIG_BYTES } from './config';
import type { AdapterConfig, Pattern } from './types';

/** Settings under which the values are more than base + scale * B A; each with what it must be, which is PEFT's default. */
const PLAIN: Readonly<Record<string, (value: unknown) => boolean>> = {
  use_dora: isOff, use_qalora: isOff, lora_bias: isOff, layer_replication: isOff, target_parameters: isOff,
  trainable_token_indices: isOff, alora_invocation_tokens: isOff, use_bdlora: isOff, arrow_config: isOff, kasa_config: isOff,
  monteclora_config: isOff, velora_config: isOff, ensure_weight_tying: isOff,
  bias: (value) => value === 'none' || isOff(value),
  // The others (PiSSA, OLoRA, LoftQ, CorDA) change the base as well, and what they leave in it is not in the adapter.
  init_lora_weights: (value) => isOff(value) || value === true || value === 'gaussian' || value === 'eva' || value === 'orthogonal',
};
function isOff(value: unknown): boolean {
  return value === undefined || value === null || value === false || (typeof value === 'object' && Object.keys(value).length === 0);
}

const MOST_PATTERNS = 20_000;
/** Of those with repeats, each of which looks at every character of every name. */
const MOST_REPEATING = 16;

/** The settings, or why they are not those of an adapter that can be formed: the setting and its value, as text. */
export function parseAdapterConfig(bytes: Uint8Array): AdapterConfig | { readonly refused: string } | null {
  if (bytes.length > MAX_CONFIG_BYTES || invalidUtf8At(bytes) >= 0) return null;
  let config: unknown;
  try {
    config = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
  if (typeof config !== 'object' || config === null || Array.isArray(config)) return null;
  const own = (name: string): unknown => (Object.hasOwn(config, name) ? (config as Record<string, unknown>)[name] : undefined);
  const refused = (name: string) => ({ refused: `${name}: ${(JSON.stringify(own(name)) ?? 'missing').slice(0, 80)}` });
  if (own('peft_type') !== 'LORA') return refused('peft_type');
  const odd = Object.keys(PLAIN).find((name) => !PLAIN[name]!(own(name)));
  if (odd !== undefined) return refused(odd);
  const rank = own('r');
  const alpha = own('lora_alpha');
  if (!isRank(rank)) return refused('r');
  if (!isFinite(alpha)) return refused('lora_alpha');
  const rankPattern = patternsOf(own('rank_pattern'), isRank);
  if (!rankPattern) return refused('rank_pattern');
  const alphaPattern = patternsOf(own('alpha_pattern'), isFinite);
  if (!alphaPattern) return refused('alpha_pattern');
  const baseModel = own('base_model_name_or_path');
  return {
    rank,
    alpha,
    rankStabilised: own('use_rslora') === true,
    fanInFanOut: own('fan_in_fan_out') === true,
    rankPattern,
    alphaPattern,
    baseModel: typeof baseModel === 'string' ? baseModel : null,
  };
}

/** Rank and scale of a module by its full name in the base: alpha / r, or alpha / sqrt(r), as an f32 number. */
export function scalingOf(config: AdapterConfig, module: string): { readonly rank: number; readonly scale: number } {
  const rank = valueFor(config.rankPattern, module) ?? config.rank;
  const alpha = valueFor(config.alphaPattern, module) ?? config.alpha;
  return { rank, scale: Math.fround(alpha / (config.rankStabilised ? Math.sqrt(rank) : rank)) };
}

function valueFor(patterns: readonly Pattern[], module: string): number | undefined {
  return patterns.find(({ key }) => matchesEnd(patternOf(key), module))?.value;
}

/** Keys are read once; a checkpoint crosses to the page and back as plain data. */
const read = new Map<string, NamePattern>();
function patternOf(key: string): NamePattern {
  const known = read.get(key) ?? readPattern(key)!;
  if (read.size > 4 * MOST_PATTERNS) read.clear();
  read.set(key, known);
  return known;
}

function patternsOf(given: unknown, accepts: (value: unknown) => value is number): Pattern[] | null {
  if (isOff(given)) return [];
  const entries = typeof given === 'object' ? Object.entries(given as object) : [];
  if (entries.length === 0 || entries.length > MOST_PATTERNS || !entries.every(([, value]) => accepts(value))) return null;
  const patterns = entries.map(([key]) => readPattern(key));
  if (patterns.includes(null) || patterns.filter((pattern) => pattern!.repeats).length > MOST_REPEATING) return null;
  return entries.map(([key, value]) => ({ key, value: value as number }));
}

const isRank = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= 2 ** 16;
const isFinite = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
