import { createServer } from 'node:http';
import { join } from 'node:path';
import { serve } from '../scripts/serve.mjs';
import { expect, test } from './support/fixtures';
import { openSample } from './support/studio';

/** A server of another origin that lets everyone read it, and counts who came. */
async function elsewhere() {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(request.url ?? '');
    response.writeHead(200, { 'Access-Control-Allow-Origin': '*' }).end('leaked');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return { url: `http://127.0.0.1:${port}/`, seen, close: () => server.close() };
}

const reach = (url: string) => fetch(url).then((response) => response.text(), () => 'refused');

test.use({ webgpu: false });

// Row 48 of the faults, on the hosts that SECURITY.md tells apart.
for (const [host, headers] of [
  ['that sends the headers', undefined],
  ['that cannot send headers', {}],
] as const) {
  test(`on a host ${host}, neither the page nor its workers reach another origin`, async ({ page }) => {
    const server = await serve(join(process.cwd(), 'dist'), [0], headers);
    const other = await elsewhere();
    try {
      // Whoever has no policy gets through: what follows is the policy's doing.
      const free = await page.context().newPage();
      await free.goto(`${other.url}control`);
      expect(await free.evaluate(reach, `${other.url}control`)).toBe('leaked');
      await free.close();
      other.seen.length = 0;

      await page.goto(server.url);
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
      await openSample(page);
      // The policy lets the CPU backend compile its WebAssembly, in a worker.
      await page.getByRole('button', { name: /^Backend: CPU/ }).click();
      await expect(page.getByRole('row', { name: /^In use CPU, .*SIMD$/ })).toBeVisible();
      await page.keyboard.press('Escape');
      const workers = page.workers();
      expect(workers.length).toBeGreaterThan(0);
      for (const worker of workers) expect(await worker.evaluate(reach, `${other.url}worker`)).toBe('refused');
      expect(await page.evaluate(reach, `${other.url}page`)).toBe('refused');
      const scripted = await page.evaluate(() => {
        const attempts: Record<string, () => unknown> = {
          markup: () => (document.createElement('div').innerHTML = '<img src=x>'),
          script: () => (document.createElement('script').src = 'data:text/javascript,0'),
          worker: () => new Worker('assets/anything.js'),
          another: () => (globalThis as unknown as { trustedTypes: { createPolicy(name: string, rules: object): unknown } }).trustedTypes.createPolicy('another', {}),
        };
        return Object.entries(attempts).filter(([, attempt]) => {
          try {
            attempt();
            return true;
          } catch (error) {
            return !(error instanceof TypeError);
          }
        });
      });
      expect(scripted, 'made from plain text').toEqual([]);
      expect(other.seen).toEqual([]);
    } finally {
      other.close();
      await server.close();
    }
  });
}
