export interface Thread {
  readonly tid: number;
  readonly began: number;
  readonly kind: string;
  readonly name: string;
  readonly ticks: number;
}
export function partsOf(threads: readonly Thread[]): Record<'studio' | 'workers' | 'pool' | 'files' | 'other', number>;
