import { join } from 'node:path';
import { defineConfig } from 'vite';

/** The accuracy report, which needs no page. */
export default defineConfig({
  root: import.meta.dirname,
  publicDir: false,
  build: { target: 'node20', ssr: join(import.meta.dirname, 'accuracy/main.ts'), outDir: '../.cache/bench-accuracy', emptyOutDir: true },
});
