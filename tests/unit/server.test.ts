import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CONTENT_SECURITY_POLICY, META_POLICY, SECURITY_HEADERS } from '../../scripts/headers.mjs';
import { serve } from '../../scripts/serve.mjs';

let folder: string;
let server: Awaited<ReturnType<typeof serve>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'server-'));
  await mkdir(join(folder, 'dist'));
  await writeFile(join(folder, 'secret.txt'), 'secret');
  await writeFile(join(folder, 'dist', 'index.html'), '<!doctype html>');
  await writeFile(join(folder, 'dist', 'worker.js'), 'export {};');
  await writeFile(join(folder, 'dist', 'x.safetensors'), Uint8Array.of(1, 2, 3));
  server = await serve(join(folder, 'dist'));
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

/** First line of the answer to a raw request: fetch would tidy the path before sending it. */
function statusOf(path: string): Promise<string> {
  const { port } = new URL(server.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`));
    let answer = '';
    socket.on('data', (data) => (answer += data.toString()));
    socket.on('end', () => resolve(answer.split('\r\n')[0]!));
    socket.on('error', reject);
  });
}

it('sends the security headers with the page, with scripts of workers and with a missing file', async () => {
  for (const path of ['', 'worker.js', 'missing']) {
    const { headers } = await fetch(new URL(path, server.url));
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) expect(headers.get(name), `${path} ${name}`).toBe(value);
  }
});

it('serves files with their types and sizes', async () => {
  const answers = await Promise.all(['', 'worker.js', 'x.safetensors'].map((path) => fetch(new URL(path, server.url))));
  expect(answers.map(({ headers }) => headers.get('content-type'))).toEqual([
    'text/html; charset=utf-8',
    'text/javascript; charset=utf-8',
    'application/octet-stream',
  ]);
  expect(new Uint8Array(await answers[2]!.arrayBuffer())).toEqual(Uint8Array.of(1, 2, 3));
});

it.each(['/../secret.txt', '/%2e%2e/secret.txt', '/..%2fsecret.txt', '/x/../../secret.txt', '/%00', '/%ff'])(
  'serves nothing outside its folder: %s',
  async (path) => {
    expect(await statusOf(path)).toBe('HTTP/1.1 404 Not Found');
  },
);

it('takes the next port when the first is taken', async () => {
  const taken = Number(new URL(server.url).port);
  const other = await serve(join(folder, 'dist'), [taken, 0]);
  expect(Number(new URL(other.url).port)).not.toBe(taken);
  await other.close();
  await expect(serve(join(folder, 'dist'), [taken])).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

it('has a policy that connects to its own origin alone and runs nothing inline', () => {
  const directives = new Map(CONTENT_SECURITY_POLICY.split('; ').map((text) => [text.split(' ')[0], text.split(' ').slice(1)]));
  expect(directives.get('default-src')).toEqual(["'none'"]);
  expect(directives.get('connect-src')).toEqual(["'self'"]);
  expect(directives.get('script-src')).toEqual(["'self'", "'wasm-unsafe-eval'"]);
  expect(directives.get('style-src')).toEqual(["'self'"]);
  expect(META_POLICY).toBe(CONTENT_SECURITY_POLICY.replace("; frame-ancestors 'none'", ''));
});

it('is what docs/hosting.md tells others to send', async () => {
  const page = await readFile(join(process.cwd(), 'docs', 'hosting.md'), 'utf8');
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
    expect(page).toContain(`\n${name}: ${value}\n`);
    expect(page).toMatch(new RegExp(`add_header ${name} "?${value.replace(/[.*+?^$()|[\]\\]/g, '\\$&')}"? always;`));
  }
});
