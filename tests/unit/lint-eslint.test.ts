import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { expect, it } from 'vitest';

/** The project's own configuration without the rules that need types, so that a text needs no file on disk. */
const eslint = new ESLint({
  cwd: process.cwd(),
  overrideConfig: [
    {
      files: ['src/**/*.{ts,tsx}'],
      languageOptions: { parserOptions: { projectService: false } },
      rules: { ...tseslint.configs.disableTypeChecked.rules },
    },
  ],
});

async function rulesBroken(filePath: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath });
  const fatal = result!.messages.find((message) => message.fatal);
  if (fatal) throw new Error(`${filePath} did not parse: ${fatal.message}`);
  return result!.messages.map((message) => message.ruleId ?? 'none');
}

const FORBIDDEN: readonly [what: string, file: string, code: string, rule: string][] = [
  ['WebRTC', 'src/worker/a.ts', 'export const a = new RTCPeerConnection();', 'no-restricted-globals'],
  ['WebRTC through a window', 'src/ui/a.ts', 'export const a = window.RTCPeerConnection;', 'no-restricted-properties'],
  ['a web socket', 'src/worker/a.ts', "export const a = new WebSocket('ws://x');", 'no-restricted-globals'],
  ['a beacon', 'src/ui/a.ts', "navigator.sendBeacon('/x');", 'no-restricted-properties'],
  ['window.open', 'src/ui/a.ts', "window.open('https://x');", 'no-restricted-properties'],
  ['open as a global', 'src/ui/a.ts', "open('https://x');", 'no-restricted-globals'],
  ['eval', 'src/recipe/a.ts', "eval('1');", 'no-eval'],
  ['new Function', 'src/recipe/a.ts', "export const a = new Function('return 1');", 'no-new-func'],
  ['a timer with text', 'src/ui/a.ts', "setTimeout('f()', 1);", 'no-implied-eval'],
  ['raw markup in React', 'src/ui/A.tsx', 'export const A = () => <p dangerouslySetInnerHTML={{ __html: x }} />;', 'no-restricted-syntax'],
  ['raw markup in the DOM', 'src/ui/a.ts', 'document.body.innerHTML = name;', 'no-restricted-syntax'],
  ['fetch outside src/files', 'src/worker/a.ts', "export const a = fetch('/x');", 'no-restricted-globals'],
  ['fetch through globalThis', 'src/engine/a.ts', "export const a = globalThis.fetch('/x');", 'no-restricted-properties'],
  ['navigation by assignment', 'src/ui/a.ts', "location.href = 'https://x';", 'no-restricted-syntax'],
  ['navigation by window.location', 'src/ui/a.ts', "window.location = 'https://x';", 'no-restricted-syntax'],
  ['navigation by location.assign', 'src/state/a.ts', "location.assign('https://x');", 'no-restricted-properties'],
  ['navigation by window.location.replace', 'src/state/a.ts', "window.location.replace('x');", 'no-restricted-syntax'],
  ['a GPU type outside src/engine', 'src/worker/a.ts', 'export type A = GPUDevice;', 'no-restricted-syntax'],
  ['a GPU constant outside src/engine', 'src/merge/a.ts', 'export const a = GPUBufferUsage.STORAGE;', 'no-restricted-syntax'],
  ['File outside src/files', 'src/ui/a.ts', 'export type A = File;', 'no-restricted-syntax'],
  ['FileSystemDirectoryHandle outside src/files', 'src/worker/a.ts', 'export type A = FileSystemDirectoryHandle;', 'no-restricted-syntax'],
  ['DataTransfer in the engine', 'src/engine/a.ts', 'export type A = DataTransfer;', 'no-restricted-syntax'],
  ['a focused test', 'tests/unit/a.test.ts', "it.only('x', () => {});", 'no-restricted-syntax'],
  ['a left-over mark', 'src/merge/a.ts', `// ${'TO'}DO later\nexport const a = 1;`, 'no-warning-comments'],
  ['a left-over print', 'src/merge/a.ts', "console.log('x');", 'no-console'],
  ['a file over 400 lines', 'src/merge/a.ts', `${'\n'.repeat(400)}export const a = 1;`, 'max-lines'],
];

it.each(FORBIDDEN)('refuses %s', async (_what, file, code, rule) => {
  expect(await rulesBroken(file, code)).toContain(rule);
});

const ALLOWED: readonly [what: string, file: string, code: string][] = [
  ['fetch in src/files', 'src/files/a.ts', "export const a = fetch('/sample/x');"],
  ['File in src/files', 'src/files/a.ts', 'export type A = File | FileSystemDirectoryHandle;'],
  ['GPU types in src/engine', 'src/engine/a.ts', 'export type A = GPUDevice;'],
  ['a change of the fragment', 'src/state/a.ts', "location.hash = '#r';"],
  ['an own function called open', 'src/checkpoint/a.ts', 'export function f(open: () => number) { return open(); }'],
  ['400 lines', 'src/merge/a.ts', `${'\n'.repeat(399)}export const a = 1;`],
];

it.each(ALLOWED)('accepts %s', async (_what, file, code) => {
  expect(await rulesBroken(file, code)).toEqual([]);
});
