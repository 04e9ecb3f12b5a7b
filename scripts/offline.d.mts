import type { Plugin } from 'vite';

export const SERVICE_WORKER: string;
export function listVersion(folder: string): Promise<void>;
export function offline(): Plugin;
