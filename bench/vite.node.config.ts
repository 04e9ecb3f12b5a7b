import { join } from 'node:path';
import { defineConfig } from 'vite';

/** The measurements that need no page. */
export default defineConfig({
  root: import.meta.dirname,
  publicDir: false,
  build: { target: 'node20', ssr: join(import.meta.dirname, 'node.ts'), outDir: '../.cache/bench-node', emptyOutDir: true },
});
