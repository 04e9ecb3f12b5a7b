/** What `npm audit --json` prints, as far as it is read. */
export interface AuditReport {
  readonly message?: string;
  readonly vulnerabilities?: Readonly<Record<string, { readonly name: string; readonly severity: string; readonly via?: readonly (string | { readonly title: string })[] }>>;
}
export function judge(shipped: AuditReport | null, all: AuditReport | null): { readonly failed: boolean; readonly lines: readonly string[] };
