/** Views of single tensors, gathered by place and weighed: a sample counts for the tensor it stands for. */
import type { Exactness, Place } from './aggregate';

/** A view of one tensor; the worker's `TensorView` has this shape. */
export interface Part<V> {
  readonly tensor: string;
  /** N of the whole tensor. */
  readonly elements: number;
  readonly exact: boolean;
  readonly view: V;
}

/** By what the sums of a view of `numel` values are multiplied to stand for the tensor: 1 where it was counted whole. */
export function weightOf({ elements, exact, view }: Part<{ readonly numel: number }>): number {
  return exact || view.numel === 0 ? 1 : elements / view.numel;
}

export function exactnessOf(parts: readonly { readonly exact: boolean }[]): Exactness {
  const exact = parts.filter((part) => part.exact).length;
  return exact === 0 ? 'estimate' : exact === parts.length ? 'exact' : 'partial';
}

/** What is looked at: all, one layer, one module, or one module of one layer. */
export interface Scope<M extends string> {
  readonly layer: number | null;
  readonly module: M | null;
}

/** The parts within a scope. */
export function within<M extends string, P extends { readonly tensor: string }>(parts: readonly P[], placeOf: (tensor: string) => Place<M>, scope: Scope<M>): P[] {
  return parts.filter(({ tensor }) => {
    const place = placeOf(tensor);
    return (scope.layer === null || place.layer === scope.layer) && (scope.module === null || place.module === scope.module);
  });
}

export interface LayerParts<P> {
  /** `embed`, the layer's number, or `head`: the keys of `Breakdown.layers`. */
  readonly key: string;
  readonly layer: number | null;
  readonly parts: readonly P[];
}

/** By layer, in the order of `Breakdown.layers`: what lies before the layers first, what lies after them last. */
export function byLayer<P extends { readonly tensor: string }>(parts: readonly P[], placeOf: (tensor: string) => Place<string>): LayerParts<P>[] {
  const groups = new Map<string, { layer: number | null; parts: P[] }>();
  for (const part of parts) {
    const { layer, module } = placeOf(part.tensor);
    const key = layer !== null ? String(layer) : module === 'embed' ? 'embed' : 'head';
    const group = groups.get(key);
    if (group) group.parts.push(part);
    else groups.set(key, { layer, parts: [part] });
  }
  const rank = ({ key, layer }: { key: string; layer: number | null }) => layer ?? (key === 'embed' ? -1 : Infinity);
  return [...groups].map(([key, group]) => ({ key, ...group })).sort((a, b) => rank(a) - rank(b));
}
