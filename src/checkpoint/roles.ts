/** Which checkpoint is which, guessed from names: a start that the page shows and the user corrects. */
import type { Checkpoint } from './types';

export interface Roles {
  /** Checkpoint ids. */
  readonly base: string | null;
  readonly sft: string | null;
  /** By what they were trained on, then by tokens seen. */
  readonly ct: string[];
  /** Merges, and further candidates for a role that is taken. */
  readonly other: string[];
}

const CT = new Set(['ct', 'cpt', 'cp', 'cont', 'continual', 'continually', 'continue', 'continued', 'dapt', 'tapt', 'lapt']);
const SFT = new Set([
  'sft', 'instruct', 'instruction', 'instructions', 'inst', 'it', 'chat', 'flan', 'task', 'tasks', 'ft', 'finetune', 'finetuned', 'tuned', 'assistant',
  'dpo', 'rlhf', 'orpo', 'ppo', 'grpo', 'alpaca', 'vicuna', 'tulu', 'zephyr', 'hermes', 'orca', 'math', 'code', 'coder',
]);
const BASE = new Set(['base', 'init', 'initial', 'foundation', 'pretrained', 'original', 'vanilla']);
const MERGE = new Set(['merge', 'merged', 'ties', 'dare', 'slerp', 'wavg', 'soup', 'averaged']);
/** Languages by name and by code; codes that are also English words, file formats or model sizes are left out. */
const LANGUAGE = new Set(
  ('lang language amharic arabic armenian azerbaijani bengali bulgarian burmese catalan chinese czech danish dutch estonian finnish ' +
    'french georgian german greek gujarati hausa hebrew hindi hungarian icelandic igbo indonesian irish italian japanese javanese ' +
    'kannada kazakh khmer kinyarwanda korean kurdish kyrgyz lao latvian lithuanian malay malayalam marathi mongolian nepali norwegian ' +
    'odia oromo pashto persian polish portuguese punjabi quechua romanian russian serbian sinhala slovak somali spanish sundanese ' +
    'swahili swedish tagalog tajik tamil tatar telugu thai tibetan tigrinya turkish turkmen ukrainian urdu uyghur uzbek vietnamese ' +
    'welsh wolof xhosa yoruba zulu ' +
    'af ar az bg bn bo ca cs cy da de el es et eu fa fi fr gl gu ha hi hu hy ig ja ka kk km kn ko ku ky lt lv mr ' +
    'nl pa pl ps ro ru rw si sk sl sq sr sv sw ta te tg th tk tl tr tt ug uk ur uz vi wo xh yo zh zu').split(' '),
);

type Guess = 'base' | 'sft' | 'ct' | 'merge' | 'unknown';

/**
 * Roles by the words of the names: a merge is no role; continual pre-training words decide before task words, these before
 * languages. Without any word the order decides: what is left is base, then SFT, then CT. An adapter is never the base.
 */
export function guessRoles(checkpoints: readonly Pick<Checkpoint, 'id' | 'name' | 'adapter'>[]): Roles {
  const guesses = checkpoints.map(({ id, name, adapter }) => ({ id, name, isAdapter: adapter !== undefined, guess: guessOf(name) }));
  const unknown = guesses.filter(({ guess }) => guess === 'unknown');
  const base = guesses.find(({ guess, isAdapter }) => guess === 'base' && !isAdapter) ?? unknown.find(({ isAdapter }) => !isAdapter);
  const left = unknown.filter((one) => one !== base);
  const sft = guesses.find(({ guess }) => guess === 'sft') ?? left.shift();
  const ct = guesses.filter((one) => one.guess === 'ct' || left.includes(one)).sort(bySeries);
  const other = guesses.filter((one) => one !== base && one !== sft && !ct.includes(one));
  return { base: base?.id ?? null, sft: sft?.id ?? null, ct: ct.map(({ id }) => id), other: other.map(({ id }) => id) };
}

function guessOf(name: string): Guess {
  const words = wordsOf(name);
  const has = (set: ReadonlySet<string>) => words.some((word) => set.has(word));
  if (has(MERGE)) return 'merge';
  if (has(CT)) return 'ct';
  if (has(SFT)) return 'sft';
  if (has(LANGUAGE)) return 'ct';
  return has(BASE) ? 'base' : 'unknown';
}

/** Lower-case words and quantities: `Llama-2-7B_ct.1.5B` is llama, 2, 7b, ct, 1.5b. */
function wordsOf(name: string): string[] {
  return name.toLowerCase().match(/\d+(?:\.\d+)?[a-z]*|[a-z]+/g) ?? [];
}

/** Sorts a series: first by the name without its tokens, then by tokens. */
function bySeries(a: { name: string }, b: { name: string }): number {
  const stem = (name: string) => wordsOf(name).filter((word) => !QUANTITY.test(word)).join(' ');
  const [x, y] = [stem(a.name), stem(b.name)];
  if (x !== y) return x < y ? -1 : 1;
  return (guessTokens(a.name) ?? 0) - (guessTokens(b.name) ?? 0);
}

const QUANTITY = /^(\d+(?:\.\d+)?)([kmbgt])(tok|toks|token|tokens)?$/;
/** k and m as the powers of two that batch size times length gives in small runs; b (or g) and t as the decimal numbers papers quote. */
const UNITS: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, b: 1e9, g: 1e9, t: 1e12 };
const TOKENS = /^tok(?:en)?s?$/;

/**
 * Tokens of continual pre-training that a name states, or null: `ct-x-512k` is 524,288, `llama-7b-cpt-30B` is 30e9. A
 * quantity counts when `tokens` stands at it or a continual pre-training word anywhere before it, the last one if there
 * are several: elsewhere `7b` is a size and `128k` a context length.
 */
export function guessTokens(name: string): number | null {
  const words = wordsOf(name);
  let tokens: number | null = null;
  let isStated = false;
  let afterCt = false;
  words.forEach((word, i) => {
    if (CT.has(word)) afterCt = true;
    const [, number, unit, suffix] = QUANTITY.exec(word) ?? [];
    if (number === undefined || unit === undefined) return;
    const stated = suffix !== undefined || TOKENS.test(words[i + 1] ?? '') || TOKENS.test(words[i - 1] ?? '');
    // What is called tokens outdoes what merely follows.
    if (!stated && (!afterCt || isStated)) return;
    isStated ||= stated;
    tokens = Math.round(Number(number) * UNITS[unit]!);
  });
  return tokens;
}

/** Tokens as a person types them: `131072`, `512k`, `1.5B`, in the units of `guessTokens`. Null when it is no such number, or 0. */
export function readTokens(text: string): number | null {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([kmbgt]?)$/.exec(text.toLowerCase().replace(/[\s_,]/g, '')) ?? [];
  if (number === undefined) return null;
  const tokens = Math.round(Number(number) * (unit ? UNITS[unit]! : 1));
  return tokens > 0 && Number.isSafeInteger(tokens) ? tokens : null;
}

/** The shortest text that `readTokens` reads as `tokens`: `512k`, `1.5B`. */
export function writeTokens(tokens: number): string {
  for (const unit of ['t', 'b', 'm', 'k']) {
    const text = `${Number((tokens / UNITS[unit]!).toPrecision(4))}${unit === 'k' ? unit : unit.toUpperCase()}`;
    if (tokens >= UNITS[unit]! && readTokens(text) === tokens) return text;
  }
  return String(tokens);
}
