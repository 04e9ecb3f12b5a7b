import { join } from 'node:path';
import { defineConfig } from 'vite';
import { kernels } from '../scripts/kernels.mjs';

/** The measurements that need no page. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [kernels()],
  publicDir: false,
  build: { target: 'node20', ssr: join(import.meta.dirname, 'node.ts'), outDir: '../.cache/bench-node', emptyOutDir: true },
});
