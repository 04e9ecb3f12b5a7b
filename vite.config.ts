import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import type { Plugin } from 'vite';
import { DEVELOPMENT_HEADERS, META_POLICY, SECURITY_HEADERS } from './scripts/headers.mjs';
import { kernels } from './scripts/kernels.mjs';
import { offline } from './scripts/offline.mjs';

/** Puts the policy into the built page itself, for static hosts that cannot send headers. */
function policyInPage(): Plugin {
  return {
    name: 'policy-in-page',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: META_POLICY },
        injectTo: 'head-prepend',
      },
      { tag: 'meta', attrs: { name: 'referrer', content: 'no-referrer' }, injectTo: 'head-prepend' },
    ],
  };
}

export default defineConfig({
  base: './',
  plugins: [react(), kernels(), policyInPage(), offline()],
  build: {
    target: 'es2023',
    // An inlined asset would be a data: URL, which font-src and connect-src do not allow.
    assetsInlineLimit: 0,
    sourcemap: true,
    // One script for the page is right for an instrument that works offline; recharts is most of it.
    chunkSizeWarningLimit: 1200,
  },
  worker: { format: 'es', plugins: () => [kernels()] },
  server: { headers: DEVELOPMENT_HEADERS },
  preview: { headers: SECURITY_HEADERS },
});
