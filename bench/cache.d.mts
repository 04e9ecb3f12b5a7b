export const WARM_BYTES: number;
export function dropCaches(): boolean;
