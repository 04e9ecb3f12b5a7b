/** What `npm audit --json` prints, as far as it is read. */
export interface AuditReport {
  readonly message?: string;
  readonly error?: { readonly summary: string };
  readonly vulnerabilities?: Readonly<Record<string, { readonly name: string; readonly severity: string; readonly via?: readonly (string | { readonly title: string })[] }>>;
}
export const EXITS: Readonly<Record<'passed' | 'failed' | 'not made', number>>;
export function judge(shipped: AuditReport | null, all: AuditReport | null): { readonly outcome: 'passed' | 'failed' | 'not made'; readonly lines: readonly string[] };
