/** Bundles the command line for Node: TypeScript and shaders into one module. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { kernels } from './kernels.mjs';

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  plugins: [kernels()],
  publicDir: false,
  ssr: { noExternal: true, external: ['webgpu'] },
  build: {
    ssr: true,
    outDir: '.cache/cli',
    target: 'node20',
    rollupOptions: {
      input: { main: 'src/cli/main.ts', 'cpu-part': 'src/cli/cpu-part.ts' },
      output: { entryFileNames: '[name].mjs', chunkFileNames: '[name].mjs' },
    },
  },
});
