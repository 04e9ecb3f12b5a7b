export interface StageResult {
  readonly passed: number;
  readonly failed: number;
  readonly note?: string;
}
export interface Stage {
  readonly name: string;
  readonly title: string;
  /** `output`: a file descriptor. */
  readonly run: (options: { readonly env: Readonly<Record<string, string>>; readonly output: number }) => Promise<StageResult>;
}
export const STAGES: readonly Stage[];
export function lastLine(rows: readonly (StageResult & { readonly title: string })[], seconds: number, lanes: number): string;
