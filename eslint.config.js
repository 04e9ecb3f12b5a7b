import reactHooks from 'eslint-plugin-react-hooks';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const NOTHING_LEAVES = 'Nothing leaves the machine: ';

/** Ways off the page that a Content-Security-Policy does not close, or that only one room may use. */
const NETWORK_GLOBALS = [
  'RTCPeerConnection',
  'RTCDataChannel',
  'WebTransport',
  'WebSocket',
  'EventSource',
  'XMLHttpRequest',
  'open',
].map((name) => ({ name, message: `${NOTHING_LEAVES}${name} has no place here.` }));
const FETCH = { name: 'fetch', message: `${NOTHING_LEAVES}only src/files reads the sample family, and src/offline the page itself, from the page's own origin.` };

const RESTRICTED_PROPERTIES = [
  ...['window', 'globalThis', 'self'].flatMap((object) => [
    ...NETWORK_GLOBALS.map(({ name, message }) => ({ object, property: name, message })),
    { object, property: 'eval', message: 'No code is made from text.' },
  ]),
  { object: 'navigator', property: 'sendBeacon', message: `${NOTHING_LEAVES}no beacons.` },
  ...['assign', 'replace'].map((property) => ({
    object: 'location',
    property,
    message: `${NOTHING_LEAVES}the page does not navigate.`,
  })),
  { object: 'document', property: 'write', message: 'Build elements; markup from text runs what a file name says.' },
];
const FETCH_PROPERTIES = ['window', 'globalThis', 'self'].map((object) => ({ object, property: 'fetch', message: FETCH.message }));

const SYNTAX = [
  {
    selector: 'AssignmentExpression[left.type="Identifier"][left.name="location"]',
    message: `${NOTHING_LEAVES}the page does not navigate.`,
  },
  {
    selector: 'AssignmentExpression > MemberExpression.left[property.name="location"]',
    message: `${NOTHING_LEAVES}the page does not navigate.`,
  },
  {
    selector: 'AssignmentExpression > MemberExpression.left[property.name=/^(href|host|hostname|pathname|search)$/][object.name="location"]',
    message: `${NOTHING_LEAVES}only the fragment of the address may change.`,
  },
  {
    selector:
      'AssignmentExpression > MemberExpression.left[property.name=/^(href|host|hostname|pathname|search)$/][object.property.name="location"]',
    message: `${NOTHING_LEAVES}only the fragment of the address may change.`,
  },
  {
    selector: 'CallExpression[callee.property.name=/^(assign|replace)$/][callee.object.property.name="location"]',
    message: `${NOTHING_LEAVES}the page does not navigate.`,
  },
  {
    selector: 'JSXAttribute[name.name="dangerouslySetInnerHTML"], Property[key.name="dangerouslySetInnerHTML"]',
    message: 'Names in files are hostile text; show them as text.',
  },
  {
    selector: 'AssignmentExpression > MemberExpression.left[property.name=/^(innerHTML|outerHTML)$/]',
    message: 'Names in files are hostile text; show them as text.',
  },
  {
    selector: 'CallExpression[callee.property.name="insertAdjacentHTML"]',
    message: 'Names in files are hostile text; show them as text.',
  },
];

const GPU_NAMES = {
  selector: 'Identifier[name=/^GPU[A-Z]/]',
  message: 'Only src/engine names GPU types; elsewhere a Backend will do.',
};
const FILE_TYPES = {
  selector:
    'TSTypeReference > Identifier[name=/^(File|FileList|FileReader|FileSystem[A-Z]\\w*|DataTransfer\\w*)$/], ' +
    'NewExpression > Identifier.callee[name=/^(File|FileReader|FileReaderSync|DataTransfer)$/], ' +
    'BinaryExpression[operator="instanceof"] > Identifier.right[name=/^(File|FileList|FileSystem[A-Z]\\w*|DataTransfer\\w*)$/]',
  message: 'Only src/files names DOM file types; others pass its handles on unopened.',
};
const FOCUSED_TEST = {
  selector: 'MemberExpression[object.name=/^(it|test|describe|suite)$/][property.name=/^(only|skip|todo|fixme|skipIf|runIf)$/]',
  message: 'No focused or skipped test stays in the tree.',
};

const typescript = ['**/*.{ts,tsx,mts}'];

export default defineConfig([
  { ignores: ['dist/**', '.cache/**', 'test-results/**', 'playwright-report/**', 'coverage/**', 'bench/dist/**'] },
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    languageOptions: {
      // no-implied-eval looks at calls of known globals only.
      globals: { setTimeout: 'readonly', setInterval: 'readonly', window: 'readonly', self: 'readonly' },
    },
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-eval': 'error',
      'no-implied-eval': 'error',
      'no-new-func': 'error',
      'no-script-url': 'error',
      'no-debugger': 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'no-unreachable': 'error',
      'no-dupe-keys': 'error',
      'no-fallthrough': 'error',
      'no-self-compare': 'error',
      'no-constant-condition': ['error', { checkLoops: 'allExceptWhileTrue' }],
      'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx', 'hack'] }],
      'max-lines': ['error', { max: 400 }],
    },
  },
  { files: typescript, extends: [tseslint.configs.strict] },
  {
    files: typescript,
    rules: {
      // noUncheckedIndexedAccess makes every typed-array read `number | undefined`; the assertion states the loop's bound.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // Record<never, never> and marker types of the protocol.
      '@typescript-eslint/no-invalid-void-type': 'off',
      'no-console': 'error',
    },
  },
  {
    files: ['src/**/*.{ts,tsx}'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { attributes: false } }],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/no-unnecessary-type-assertion': 'error',
      'no-restricted-globals': ['error', ...NETWORK_GLOBALS, FETCH],
      'no-restricted-properties': ['error', ...RESTRICTED_PROPERTIES, ...FETCH_PROPERTIES],
      'no-restricted-syntax': ['error', ...SYNTAX, GPU_NAMES, FILE_TYPES],
    },
  },
  {
    files: ['src/engine/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...SYNTAX, FILE_TYPES] },
  },
  {
    files: ['src/files/**/*.ts', 'src/offline/**/*.ts'],
    rules: {
      'no-restricted-globals': ['error', ...NETWORK_GLOBALS],
      'no-restricted-properties': ['error', ...RESTRICTED_PROPERTIES],
      'no-restricted-syntax': ['error', ...SYNTAX, GPU_NAMES],
    },
  },
  // Only ui names React; on everything else these rules spend a third of the lint's time for nothing.
  { files: ['src/main.tsx', 'src/ui/**/*.{ts,tsx}'], ...reactHooks.configs.flat['recommended-latest'] },
  {
    files: ['tests/**/*.{ts,tsx}', 'e2e/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', FOCUSED_TEST] },
  },
  {
    // The command line's output is its console.
    files: ['src/cli/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
]);
