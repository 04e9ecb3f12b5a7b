#!/usr/bin/env node
/**
 * `npx merging-studio`: in a checkout sets up and bundles the command line when that is missing or old; then runs it in this
 * process. A package made by `npm pack` holds the bundle and no source.
 */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureInstalled, isNewer, ROOT, tool } from './project.mjs';

const BUNDLE = join(ROOT, '.cache', 'cli', 'main.mjs');
const INPUTS = ['package-lock.json', 'kernels', 'shaders', 'src', 'scripts/cli.vite.config.ts', 'scripts/kernels.mjs'];

const isCheckout = existsSync(join(ROOT, 'src'));
if (isCheckout && (!existsSync(BUNDLE) || isNewer(INPUTS, statSync(BUNDLE).mtimeMs))) {
  await ensureInstalled();
  const code = await tool('vite', ['build', '--config', 'scripts/cli.vite.config.ts', '--logLevel', 'error']);
  if (code !== 0) process.exit(code);
}
await import(pathToFileURL(BUNDLE).href);
