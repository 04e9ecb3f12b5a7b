import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';
import { SECURITY_HEADERS } from './headers.mjs';

const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.md': 'text/markdown; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

/** The file inside `root` that a request path names, or null for one that points outside or cannot be decoded. */
function fileFor(root, requestPath) {
  let decoded;
  try {
    decoded = decodeURIComponent(requestPath);
  } catch {
    return null;
  }
  if (decoded.includes('\0')) return null;
  const inside = normalize(decoded.endsWith('/') ? `${decoded}index.html` : decoded);
  const path = join(root, inside);
  return path.startsWith(root + sep) ? path : null;
}

async function answer(root, headers, request, response) {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { Allow: 'GET, HEAD' }).end();
    return;
  }
  const path = fileFor(root, new URL(request.url ?? '/', 'http://localhost').pathname);
  const found = path === null ? null : await stat(path).catch(() => null);
  if (path === null || !found?.isFile()) {
    response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' }).end('Not found\n');
    return;
  }
  response.writeHead(200, {
    'Content-Type': TYPES[extname(path)] ?? 'application/octet-stream',
    'Content-Length': found.size,
    // A rebuilt page must not run with the scripts of the old one.
    'Cache-Control': 'no-cache',
  });
  if (request.method === 'HEAD') response.end();
  else createReadStream(path).on('error', () => response.destroy()).pipe(response);
}

function listen(server, port) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve(server.address().port);
    });
  });
}

/**
 * Serves the files of `root` on this machine only, with the page's security headers (or `headers`: a static host sends
 * none). Takes the first free port of `ports`, where 0 is any; private storage belongs to an origin, so a caller that keeps
 * data there asks for the same first.
 */
export async function serve(root, ports = [0], headers = SECURITY_HEADERS) {
  const server = createServer((request, response) => {
    answer(root, headers, request, response).catch(() => response.destroy());
  });
  for (const [at, wanted] of ports.entries()) {
    try {
      const port = await listen(server, wanted);
      return {
        url: `http://localhost:${port}/`,
        close: () =>
          new Promise((resolve) => {
            server.close(() => resolve());
            server.closeAllConnections();
          }),
      };
    } catch (error) {
      if (error.code !== 'EADDRINUSE' || at === ports.length - 1) throw error;
    }
  }
  throw new Error('serve: no port was given');
}
