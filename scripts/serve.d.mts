export function serve(
  root: string,
  ports?: readonly number[],
): Promise<{ readonly url: string; close(): Promise<void> }>;
