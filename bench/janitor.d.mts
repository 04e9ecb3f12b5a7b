export function removeAtEnd(folders: readonly string[]): { release(): Promise<void> };
