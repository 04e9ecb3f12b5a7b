import { join } from 'node:path';
import { defineConfig } from 'vite';
import { kernels } from '../scripts/kernels.mjs';

/** The accuracy report, which needs no page. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [kernels()],
  publicDir: false,
  build: { target: 'node20', ssr: join(import.meta.dirname, 'accuracy/main.ts'), outDir: '../.cache/bench-accuracy', emptyOutDir: true },
});
