import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES_ON_PATH = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome', 'microsoft-edge'];

const MAC_APPLICATIONS = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
];

const WINDOWS_PROGRAMS = [
  ['Google', 'Chrome', 'Application', 'chrome.exe'],
  ['Chromium', 'Application', 'chrome.exe'],
  ['Microsoft', 'Edge', 'Application', 'msedge.exe'],
];

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function onWindows() {
  const roots = [process.env.PROGRAMFILES, process.env['PROGRAMFILES(X86)'], process.env.LOCALAPPDATA];
  return roots.flatMap((root) => (root ? WINDOWS_PROGRAMS.map((parts) => join(root, ...parts)) : []));
}

function onPath() {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return NAMES_ON_PATH.flatMap((name) => folders.map((folder) => join(folder, name)));
}

/** Playwright's own Chromium, when Playwright is installed and has downloaded it. */
async function fromPlaywright() {
  try {
    const { chromium } = await import('playwright');
    return [chromium.executablePath()];
  } catch {
    return [];
  }
}

/**
 * Path of a Chromium-family browser, or null. CHROMIUM in the environment wins and is an error
 * when it names nothing, because a silent fallback would test another browser than the one asked for.
 */
export async function findChromium() {
  const asked = process.env.CHROMIUM;
  if (asked) {
    if (!existsSync(asked)) throw new Error(`CHROMIUM is set to ${asked}, but there is no such file.`);
    return asked;
  }
  const places =
    process.platform === 'darwin' ? MAC_APPLICATIONS : process.platform === 'win32' ? onWindows() : onPath();
  return [...places, ...(await fromPlaywright())].find(isExecutable) ?? null;
}

/**
 * Switches common to every launch. The sandbox cannot start under root (containers, most CI), and only
 * there is it turned off.
 */
export function launchArguments({ webgpu }) {
  const root = process.getuid?.() === 0;
  return [
    '--disable-background-networking',
    ...(root ? ['--no-sandbox'] : []),
    ...(webgpu ? ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'] : []),
  ];
}
