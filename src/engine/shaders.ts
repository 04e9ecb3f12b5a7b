/** Shader modules: each pass is one .wgsl file behind an explicit list of library files. No templates, no generated text. */
import bins from '../../shaders/lib/bins.wgsl?raw';
import bits from '../../shaders/lib/bits.wgsl?raw';
import count from '../../shaders/lib/count.wgsl?raw';
import dtypes from '../../shaders/lib/dtypes.wgsl?raw';
import block from '../../shaders/lib/block.wgsl?raw';
import elect from '../../shaders/lib/elect.wgsl?raw';
import edgesAll from '../../shaders/lib/edges_all.wgsl?raw';
import edgesNoted from '../../shaders/lib/edges_noted.wgsl?raw';
import edgesRepaired from '../../shaders/lib/edges_repaired.wgsl?raw';
import f32ByIntegers from '../../shaders/lib/f32_by_integers.wgsl?raw';
import f32Guarded from '../../shaders/lib/f32_guarded.wgsl?raw';
import f32Float from '../../shaders/lib/f32_float.wgsl?raw';
import f32Integer from '../../shaders/lib/f32_integer.wgsl?raw';
import inputs from '../../shaders/lib/inputs.wgsl?raw';
import keys from '../../shaders/lib/keys.wgsl?raw';
import keepDrawn from '../../shaders/lib/keep_drawn.wgsl?raw';
import keepLargest from '../../shaders/lib/keep_largest.wgsl?raw';
import layout from '../../shaders/lib/layout.wgsl?raw';
import pairs from '../../shaders/lib/pairs.wgsl?raw';
import pairsNone from '../../shaders/lib/pairs_none.wgsl?raw';
import product from '../../shaders/lib/product.wgsl?raw';
import rounding from '../../shaders/lib/rounding.wgsl?raw';
import slack from '../../shaders/lib/slack.wgsl?raw';
import outcome from '../../shaders/lib/outcome.wgsl?raw';
import adapt from '../../shaders/adapt.wgsl?raw';
import effect from '../../shaders/effect.wgsl?raw';
import gather from '../../shaders/gather.wgsl?raw';
import histogram from '../../shaders/histogram.wgsl?raw';
import listed from '../../shaders/listed.wgsl?raw';
import locate from '../../shaders/locate.wgsl?raw';
import magnitude from '../../shaders/magnitude.wgsl?raw';
import merge from '../../shaders/merge.wgsl?raw';
import pick from '../../shaders/pick.wgsl?raw';
import probe from '../../shaders/probe.wgsl?raw';
import repairs from '../../shaders/repairs.wgsl?raw';
import settle from '../../shaders/settle.wgsl?raw';
import sums from '../../shaders/sums.wgsl?raw';
import surface from '../../shaders/surface.wgsl?raw';
import tally from '../../shaders/tally.wgsl?raw';
import ties from '../../shaders/ties.wgsl?raw';

/** How f32 operations are done on an adapter: by float units that passed the probe, with integers at the edges; or by integers alone. */
export type Arithmetic = 'guarded' | 'integer';

/** The same of one pipeline; `repair` is integers for the edges that `float` left out. */
export type F32Library = Arithmetic | 'float' | 'repair';

const DECIDING = [layout, bits, rounding, 'f32', dtypes, inputs, 'edges', block, elect, 'keep'];
const RANKING = [...DECIDING, slack, keys];
const SOURCES = {
  histogram: [...RANKING, bins, histogram],
  settle: [layout, bits, settle],
  gather: [...DECIDING, gather],
  listed: [layout, bits, bins, listed],
  pick: [layout, bits, product, pick],
  ties: [...RANKING, ties],
  tally: [...RANKING, tally],
  locate: [...RANKING, locate],
  sums: [...DECIDING, sums],
  merge: [...DECIDING, slack, outcome, count, 'pairs', merge],
  surface: [...DECIDING, surface],
  magnitude: [...DECIDING, magnitude],
  effect: [...DECIDING, slack, outcome, effect],
  adapt: [layout, bits, rounding, 'f32', dtypes, inputs, adapt],
  repairs: [layout, repairs],
  probe: [bits, rounding, 'f32', probe],
} as const;
export type ShaderName = keyof typeof SOURCES;

/** Which of several library files a pass is put together from. */
export interface Libraries {
  readonly f32: F32Library;
  /** Conflicts are counted pair by pair: more than two models. */
  readonly pairs?: boolean;
  /** A draw decides what is kept of a task vector. */
  readonly draws?: boolean;
}

const CHOICES: Readonly<Record<F32Library, { readonly f32: string; readonly edges: string }>> = {
  float: { f32: f32Float, edges: edgesNoted },
  repair: { f32: `${f32Integer}\n${f32ByIntegers}`, edges: edgesRepaired },
  guarded: { f32: `${f32Integer}\n${f32Guarded}`, edges: '' },
  integer: { f32: `${f32Integer}\n${f32ByIntegers}`, edges: edgesAll },
};

/** The complete text of a pass. */
export function shaderText(name: ShaderName, { f32, pairs: counted = false, draws = false }: Libraries): string {
  const chosen: Readonly<Record<string, string>> = { ...CHOICES[f32], pairs: counted ? pairs : pairsNone, keep: draws ? keepDrawn : keepLargest };
  return SOURCES[name].map((part) => chosen[part] ?? part).join('\n');
}
