import { defineConfig } from 'vite';

/** The page of measurements: built as the studio is, so that what is measured is what ships. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  publicDir: false,
  build: { target: 'es2023', outDir: '../.cache/bench', emptyOutDir: true },
  worker: { format: 'es' },
});
