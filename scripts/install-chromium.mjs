import { existsSync } from 'node:fs';
import { findChromium } from './chromium.mjs';
import { run, tool } from './project.mjs';

async function withApt() {
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  if ((await run('apt-get', ['update'], { env })) !== 0) return false;
  return (await run('apt-get', ['install', '-y', '--no-install-recommends', 'chromium'], { env })) === 0;
}

/** Path of a Chromium, installing one when there is none; throws when that fails too. */
export async function ensureChromium() {
  const found = await findChromium();
  if (found) return found;
  const debianRoot = process.getuid?.() === 0 && existsSync('/etc/debian_version');
  console.log(`No Chromium was found; installing one ${debianRoot ? 'with apt-get' : 'with Playwright'}.`);
  if (!(debianRoot && (await withApt()))) await tool('playwright', ['install', 'chromium']);
  const installed = await findChromium();
  if (!installed) {
    throw new Error('No Chromium could be installed. Install Chromium or Chrome, or set CHROMIUM to its path.');
  }
  return installed;
}
