export function median(numbers: readonly number[]): number;
export function slope(points: readonly (readonly [number, number])[]): number;
export function slopeInterval(points: readonly (readonly [number, number])[]): { readonly slope: number; readonly low: number | null; readonly high: number | null };
