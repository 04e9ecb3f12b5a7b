/** The colour scales of the maps, as CSS colours of the theme. */

/** Where the scale reaches the accent colour; from there it goes on towards ink. */
export const KNEE = 0.65;
const INK_SHARE = 0.55;

/** One hue, light to dark (dark to light in the dark theme), ordered without colour vision; `t` in [0, 1]. */
export function rampColour(t: number): string {
  const at = Math.min(Math.max(t, 0), 1);
  if (at <= KNEE) return `color-mix(in oklab, var(--accent) ${(8 + (92 * at) / KNEE).toFixed(1)}%, var(--surface))`;
  return `color-mix(in oklab, var(--ink) ${((INK_SHARE * 100 * (at - KNEE)) / (1 - KNEE)).toFixed(1)}%, var(--accent))`;
}

/** Text that reads on `rampColour(t)`. */
export function rampInk(t: number): string {
  return t < KNEE * 0.8 ? 'var(--ink)' : 'var(--surface)';
}

/** Blue below the middle, orange above it, the surface at it: told apart with every kind of colour vision; `t` in [0, 1]. */
export function divergingColour(t: number): string {
  const along = Math.min(Math.max(t, 0), 1) * 2 - 1;
  return `color-mix(in oklab, var(${along < 0 ? '--accent' : '--m5'}) ${(Math.abs(along) * 100).toFixed(1)}%, var(--surface))`;
}

/** Text that reads on `divergingColour(t)`: the two themes change over at different strengths, in between it is the darker of the two. */
export function divergingInk(t: number): string {
  const strength = Math.abs(t * 2 - 1);
  if (strength < 0.6) return 'var(--ink)';
  return strength < 0.85 ? 'light-dark(var(--ink), var(--surface))' : 'var(--surface)';
}
