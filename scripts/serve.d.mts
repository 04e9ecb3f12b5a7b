export function serve(
  root: string,
  ports?: readonly number[],
  headers?: Readonly<Record<string, string>>,
): Promise<{ readonly url: string; close(): Promise<void> }>;
