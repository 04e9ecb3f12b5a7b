import { join } from 'node:path';
import { defineConfig } from 'vite';
import { kernels } from '../scripts/kernels.mjs';

/** The pages of measurements: built as the studio is, so that what is measured is what ships. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [kernels()],
  base: './',
  publicDir: false,
  build: {
    target: 'es2023',
    outDir: '../.cache/bench',
    emptyOutDir: true,
    rollupOptions: { input: ['index.html', 'pipeline/index.html'].map((page) => join(import.meta.dirname, page)) },
  },
  worker: { format: 'es', plugins: () => [kernels()] },
});
