export function findChromium(): Promise<string | null>;
export function launchArguments(options: { webgpu: boolean }): string[];
