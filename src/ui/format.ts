/** Sizes, times and names as the page writes them. Counts and proportions are written by `analysis/format`. */

/** U+00A0: a number and its unit stay on one line. */
const SPACE = '\u00a0';

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** Decimal units, as disks and model hubs count: `3.2 MB`, `13.5 GB`. Below 1 kB exact. */
export function formatBytes(bytes: number): string {
  return scaled(bytes, BYTE_UNITS, 0);
}

/** A number of parameters: `1.58 M`, `6.74 B`. */
export function formatParameters(count: number): string {
  return scaled(count, ['', 'K', 'M', 'B', 'T'], 1).trimEnd();
}

function scaled(value: number, units: readonly string[], extra: number): string {
  let step = 0;
  let size = value;
  // What would round up to 1000 of a unit is 1 of the next.
  while (size >= 999.5 && step < units.length - 1) {
    size /= 1000;
    step++;
  }
  const digits = step === 0 || size >= 99.95 ? 0 : 1;
  return `${size.toFixed(step === 0 ? 0 : size < 9.995 && extra > 0 ? digits + extra : digits)}${SPACE}${units[step]!}`;
}

/** `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)}${SPACE}s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}${SPACE}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}${SPACE}min${SPACE}${whole % 60}${SPACE}s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)}${SPACE}h${SPACE}${minutes % 60}${SPACE}min`;
}

/** An estimate as a person would say it: `a few seconds`, `about 20 s`, `about 4 min`, `about 1.5 h`. */
export function aboutSeconds(seconds: number): string {
  if (seconds < 8) return 'a few seconds';
  if (seconds < 55) return `about ${Math.round(seconds / 10) * 10}${SPACE}s`;
  const minutes = Math.max(1, Math.round(seconds / 60));
  if (minutes < 10) return `about ${minutes}${SPACE}min`;
  if (minutes < 58) return `about ${Math.round(minutes / 5) * 5}${SPACE}min`;
  const hours = Math.round(minutes / 30) / 2;
  return `about ${hours < 10 ? hours : Math.round(hours)}${SPACE}h`;
}

/** `384 × 128`; a scalar is `1`. */
export function formatShape(shape: readonly number[] | undefined): string {
  if (shape === undefined) return '–';
  return shape.length === 0 ? '1' : shape.join(`${SPACE}×${SPACE}`);
}

// C0 and C1 controls, line separators, what has no width, marks that turn text around, and the invisible tag characters.
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/gu;

/** A name from a file as a line of text: characters that cannot be seen, or turn others around, made visible, an empty one named, long ones cut in the middle. */
export function showName(name: string, longest = 200): string {
  if (name === '') return '(empty name)';
  const visible = name.replace(UNSEEN, (one) => `\\u${one.codePointAt(0)!.toString(16).padStart(4, '0')}`);
  if (visible.length <= longest) return visible;
  const half = Math.floor((longest - 1) / 2);
  return `${visible.slice(0, half)}…${visible.slice(-half)}`;
}

/** `1 tensor`, `75 tensors`. The count is written as given. */
export function plural(count: number, noun: string, written = String(count)): string {
  return `${written} ${noun}${count === 1 ? '' : 's'}`;
}
