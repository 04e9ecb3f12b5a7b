/**
 * Values as one line of YAML that YAML 1.1 (PyYAML, which MergeKit uses) and 1.2 read alike. The two differ on `1e-7`
 * (a string without its dot in 1.1), on `yes` and `off` (booleans in 1.1) and on what must be escaped.
 */

/** Names that no version reads as anything but a string: letters, digits and path signs, beginning with a letter. */
const PLAIN = /^(?:\.{0,2}\/)?[A-Za-z_][A-Za-z0-9_./-]*$/;
const WORDS = new Set(['true', 'false', 'yes', 'no', 'on', 'off', 'y', 'n', 'null', 'nan', 'inf']);
// YAML 1.1 takes U+0085, U+2028 and U+2029 for line ends; the rest is not printable there, has no width, or turns the text
// around it, so that a reader would see another recipe. Written with escapes, so that this file is plain ASCII.
export const UNPRINTABLE = /[\u007f-\u00a0\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffe\uffff]/g;

export function yamlString(text: string): string {
  if (PLAIN.test(text) && !WORDS.has(text.toLowerCase())) return text;
  return JSON.stringify(text).replace(UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Always with a dot, as a float. */
export function yamlNumber(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? '.nan' : value > 0 ? '.inf' : '-.inf';
  const text = String(value);
  if (text.includes('.')) return text;
  const [mantissa, exponent] = text.split('e');
  return exponent === undefined ? `${text}.0` : `${mantissa}.0e${exponent}`;
}

/** Scalars, lists and objects in flow style; fields that are undefined are left out. */
export function flow(value: unknown): string {
  if (typeof value === 'number') return yamlNumber(value);
  if (typeof value === 'string') return yamlString(value);
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined);
    return `{${fields.map(([key, field]) => `${key}: ${flow(field)}`).join(', ')}}`;
  }
  return String(value);
}
