import { join } from 'node:path';
import { defineConfig } from 'vite';
import { kernels } from '../scripts/kernels.mjs';

/** The measurements of the CPU backend, and the thread they start. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [kernels()],
  publicDir: false,
  build: {
    target: 'node20',
    ssr: true,
    outDir: '../.cache/bench-cpu',
    emptyOutDir: true,
    rollupOptions: {
      input: { cpu: join(import.meta.dirname, 'cpu.ts'), 'cpu-part': join(import.meta.dirname, '../src/cli/cpu-part.ts') },
      output: { entryFileNames: '[name].mjs', chunkFileNames: '[name].mjs' },
    },
  },
});
