import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { build, ensureInstalled, isBuildStale, ROOT } from './project.mjs';
import { serve } from './serve.mjs';

const FIRST_PORT = 4173;
const PORTS_TRIED = 20;

function hasDisplay() {
  if (process.env.CI || process.env.NO_OPEN) return false;
  if (process.platform === 'darwin' || process.platform === 'win32') return true;
  return Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
}

/** Opens the address in the default browser; the printed address serves whoever has none. */
function openBrowser(url) {
  const [command, args] =
    process.platform === 'darwin'
      ? ['open', [url]]
      : process.platform === 'win32'
        ? ['cmd', ['/c', 'start', '', url]]
        : ['xdg-open', [url]];
  spawn(command, args, { stdio: 'ignore', detached: true })
    .on('error', () => {})
    .unref();
}

await ensureInstalled();
if (isBuildStale()) {
  console.log('Building the page.');
  const code = await build();
  if (code !== 0) process.exit(code);
}
const asked = process.env.PORT ? [Number(process.env.PORT)] : null;
const near = Array.from({ length: PORTS_TRIED }, (_, i) => FIRST_PORT + i);
const { url } = await serve(join(ROOT, 'dist'), asked ?? [...near, 0]);
console.log(`\nThe model-merging studio is at ${url}\nIt runs in your browser alone; stop this server with Ctrl+C.`);
if (hasDisplay()) openBrowser(url);
