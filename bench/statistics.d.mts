export function median(numbers: readonly number[]): number;
export function slope(points: readonly (readonly [number, number])[]): number;
