/** The sample family: fetched whole from the page's own origin, every failure typed. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { fetchSample } from '../../../src/files/sample';

const BASE = 'https://studio.example/app/sample/';
function serve(files: Record<string, string | number>) {
  const asked: string[] = [];
  vi.stubGlobal('location', { href: BASE, origin: 'https://studio.example' });
  vi.stubGlobal('fetch', async (url: URL) => {
    asked.push(url.href);
    const body = files[url.pathname.replace('/app/sample/', '')];
    if (body === undefined) return new Response('not found', { status: 404 });
    if (typeof body === 'number') throw new TypeError('Failed to fetch');
    return new Response(body);
  });
  return asked;
}
const manifest = (files: unknown) => JSON.stringify({ checkpoints: [{ name: 'base', files }] });
afterEach(() => vi.unstubAllGlobals());

describe('fetchSample', () => {
  it('fetches each file the manifest names, in its order', async () => {
    const asked = serve({
      'manifest.json': manifest([{ path: 'base/a b.json', bytes: 3 }, { path: 'base/c', bytes: 1 }]),
      'base/a%20b.json': 'abc',
      'base/c': 'd',
    });
    const files = await fetchSample(BASE);
    expect(files.map(({ path, source }) => [path, source.name, source.size])).toEqual([['base/a b.json', 'base/a b.json', 3], ['base/c', 'base/c', 1]]);
    expect(asked).toEqual([`${BASE}manifest.json`, `${BASE}base/a%20b.json`, `${BASE}base/c`]);
  });

  it('a file that is not served, an unreachable server and a short file are told apart', async () => {
    serve({ 'manifest.json': manifest([{ path: 'base/c', bytes: 1 }]) });
    await expect(fetchSample(BASE)).rejects.toMatchObject({ code: 'source-changed', reason: 'not-served', where: { file: 'base/c', actual: 404 } });
    serve({ 'manifest.json': 0 });
    await expect(fetchSample(BASE)).rejects.toMatchObject({ code: 'source-changed', reason: 'not-served', where: { file: 'manifest.json' } });
    serve({ 'manifest.json': manifest([{ path: 'base/c', bytes: 5 }]), 'base/c': 'd' });
    await expect(fetchSample(BASE)).rejects.toMatchObject({ reason: 'changed', where: { file: 'base/c', expected: 5, actual: 1 } });
  });

  it('asks no other origin', async () => {
    const asked = serve({});
    await expect(fetchSample('https://elsewhere.example/')).rejects.toMatchObject({ reason: 'other-origin' });
    expect(asked).toEqual([]);
  });

  it.each([['no JSON', '<html>'], ['no list', '{}'], ['a list of null', '{"checkpoints":[null]}'], ['a path upwards', manifest([{ path: '../x', bytes: 1 }])], ['no size', manifest([{ path: 'x' }])]])(
    'a manifest with %s is malformed',
    async (_, body) => {
      serve({ 'manifest.json': body });
      await expect(fetchSample(BASE)).rejects.toMatchObject({ code: 'malformed-file', reason: 'manifest-malformed' });
    },
  );
});
