import { join } from 'node:path';
import { defineConfig } from 'vite';
import { kernels } from '../scripts/kernels.mjs';

/** The measurements that need no page, and the thread that a merge starts. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [kernels()],
  publicDir: false,
  build: {
    target: 'node20',
    ssr: true,
    outDir: '../.cache/bench-node',
    emptyOutDir: true,
    rollupOptions: {
      input: { node: join(import.meta.dirname, 'node.ts'), 'node-files': join(import.meta.dirname, 'node-files.ts'), 'cpu-part': join(import.meta.dirname, '../src/cli/cpu-part.ts') },
      output: { entryFileNames: '[name].mjs', chunkFileNames: '[name].mjs' },
    },
  },
});
