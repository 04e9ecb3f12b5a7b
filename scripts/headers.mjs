const DIRECTIVES = {
  'default-src': ["'none'"],
  // WebAssembly is compiled from bytes, here those that a script of this origin carries. JavaScript from text stays refused.
  'script-src': ["'self'", "'wasm-unsafe-eval'"],
  // A script's address is made in one place, src/worker/spawn.ts; markup from text nowhere.
  'require-trusted-types-for': ["'script'"],
  'trusted-types': ['studio-script'],
  'worker-src': ["'self'", 'blob:'],
  'style-src': ["'self'"],
  'img-src': ["'self'", 'data:', 'blob:'],
  'connect-src': ["'self'"],
  'font-src': ["'self'"],
  'manifest-src': ["'self'"],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
  'frame-ancestors': ["'none'"],
};

function written(directives) {
  return Object.entries(directives)
    .map(([name, sources]) => `${name} ${sources.join(' ')}`)
    .join('; ');
}

/** The policy of the built page: nothing inline, and no origin but its own to connect to. */
export const CONTENT_SECURITY_POLICY = written(DIRECTIVES);

/** The same for a <meta> element, where browsers ignore frame-ancestors and warn about it. */
export const META_POLICY = written(
  Object.fromEntries(Object.entries(DIRECTIVES).filter(([name]) => name !== 'frame-ancestors')),
);

/** What every server of the built page sends; docs/hosting.md lists the same for other hosts. */
export const SECURITY_HEADERS = {
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** Vite's dev server injects styles and the refresh preamble inline and talks over a web socket. */
export const DEVELOPMENT_HEADERS = {
  ...SECURITY_HEADERS,
  'Content-Security-Policy': written({
    ...Object.fromEntries(Object.entries(DIRECTIVES).filter(([name]) => !name.includes('trusted-types'))),
    'script-src': ["'self'", "'wasm-unsafe-eval'", "'unsafe-inline'"],
    'style-src': ["'self'", "'unsafe-inline'"],
    'connect-src': ["'self'", 'ws://localhost:*', 'ws://127.0.0.1:*'],
  }),
};
