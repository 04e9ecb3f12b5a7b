import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** What the built page is made of; anything newer than the build makes it stale. */
const BUILD_INPUTS = ['index.html', 'kernels', 'package-lock.json', 'public', 'scripts/headers.mjs', 'scripts/kernels.mjs', 'shaders', 'src', 'vite.config.ts'];

/** Vite's floor; older versions fail later and with a riddle. */
const OLDEST_NODE = [20, 19];

/** Says so and ends when this Node is too old. */
export function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  console.error(`Node ${OLDEST_NODE.join('.')} or newer is needed; this is ${process.versions.node}.`);
  process.exit(1);
}

/**
 * Runs a command in the project's folder with its output shown, or written to `output`, a file descriptor; resolves with the
 * exit code, 124 when it ran past `limitMs` and was ended.
 */
export function run(command, args, { env = {}, limitMs, output = 'inherit' } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ['ignore', output, output],
      // npm is a .cmd file there, which only a shell can start.
      shell: process.platform === 'win32' && command === 'npm',
    });
    let expired = false;
    const timer = limitMs
      ? setTimeout(() => {
          expired = true;
          child.kill('SIGTERM');
          setTimeout(() => child.kill('SIGKILL'), 5_000).unref();
        }, limitMs)
      : undefined;
    const ended = (code) => {
      clearTimeout(timer);
      resolve(expired ? 124 : code);
    };
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`);
      ended(127);
    });
    child.on('exit', (code) => ended(code ?? 1));
  });
}

/** Runs npm, the same one that started us where there is one. */
export function npm(args, options) {
  const own = process.env.npm_execpath;
  return own?.endsWith('.js') ? run(process.execPath, [own, ...args], options) : run('npm', args, options);
}

/** Runs the command-line entry of an installed package with this Node, without going through npx. */
export function tool(packageName, args, options) {
  const folder = join(ROOT, 'node_modules', packageName);
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const entry = typeof bin === 'string' ? bin : (bin[packageName] ?? Object.values(bin)[0]);
  return run(process.execPath, [join(folder, entry), ...args], options);
}

function packagesOf(lockfile) {
  return JSON.parse(readFileSync(lockfile, 'utf8')).packages;
}

/** Whether node_modules holds what package-lock.json asks for; packages for other systems may be absent. */
export function isInstalled() {
  const installedLock = join(ROOT, 'node_modules', '.package-lock.json');
  if (!existsSync(installedLock)) return false;
  const installed = packagesOf(installedLock);
  return Object.entries(packagesOf(join(ROOT, 'package-lock.json'))).every(([path, wanted]) => {
    if (path === '') return true;
    const found = installed[path];
    return found ? found.version === wanted.version : wanted.optional === true || wanted.peer === true;
  });
}

/** Installs the locked packages when they are missing or the lock changed; ends the process when that fails. */
export async function ensureInstalled() {
  requireNode();
  if (isInstalled()) return;
  console.log('Installing the locked packages (npm ci).');
  const code = await npm(['ci', '--no-fund', '--no-audit']);
  if (code !== 0) {
    console.error('npm ci failed; see above. It needs the network, or a filled npm cache.');
    process.exit(code);
  }
}

function newest(path) {
  if (!existsSync(path)) return 0;
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

/** Whether dist is missing or older than what it is made of. */
export function isBuildStale() {
  const built = join(ROOT, 'dist', 'index.html');
  if (!existsSync(built)) return true;
  return isNewer(BUILD_INPUTS, statSync(built).mtimeMs);
}

/** Whether any of these files and folders of the project was changed after `time` (milliseconds since the epoch). */
export function isNewer(paths, time) {
  return paths.some((path) => newest(join(ROOT, path)) > time);
}

export function build(options) {
  return tool('vite', ['build'], options);
}
