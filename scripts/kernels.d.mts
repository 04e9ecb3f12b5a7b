import type { Plugin } from 'vite';

export function compileKernels(entry: string): Promise<Buffer>;
export function kernels(): Plugin;
