/**
 * The import directions of the tree, folder by folder: each folder of src/ lists what it may import, and everything
 * else is an error. `types` lists what it may import with `import type` only.
 */
const PURE = ['bytes', 'format', 'checkpoint', 'recipe', 'merge'];

const ENTRIES = '^src/(main\\.tsx|offline/service-worker\\.ts|worker/main\\.ts|(worker|cli)/cpu-part\\.ts|worker/hash-part\\.ts|cli/main\\.ts)$';

const MAY_IMPORT = {
  bytes: {},
  format: { modules: ['bytes'] },
  checkpoint: { modules: ['bytes', 'format'] },
  recipe: { modules: ['bytes'] },
  merge: { modules: ['bytes', 'format', 'checkpoint', 'recipe'] },
  reference: { modules: ['bytes', 'recipe', 'merge'] },
  // The fast CPU backend: shares the oracle's definitions of what is rare.
  cpu: { modules: ['bytes', 'recipe', 'merge', 'reference'] },
  engine: { modules: ['bytes', 'recipe', 'merge'] },
  // What a merge or a held sample counts; nothing of how.
  analysis: { modules: ['merge/figures', 'merge/exploring'], types: ['checkpoint/types'] },
  export: { modules: ['bytes', 'format', 'checkpoint', 'recipe'], types: ['merge'] },
  // What both compositions, worker and command line, put together in the same way.
  compose: { modules: [...PURE, 'analysis', 'export'] },
  files: { modules: ['bytes'], types: ['checkpoint/types', 'worker/protocol'] },
  'worker/protocol': { types: ['bytes', 'checkpoint', 'recipe', 'merge', 'export/types'] },
  'worker/spawn': {},
  'worker/lifeline': {},
  'worker/client': { modules: ['bytes', 'files/pick', 'files/kept-handles', 'worker/protocol', 'worker/spawn', 'worker/lifeline', 'worker/main'] },
  // The rest of worker/: the composition root of the worker.
  worker: { modules: [...PURE, 'reference', 'cpu', 'engine', 'analysis', 'export', 'compose', 'files', 'worker'] },
  // The service worker: alone in its own script.
  offline: {},
  cli: { modules: [...PURE, 'reference', 'cpu', 'engine', 'analysis', 'export', 'compose'] },
  state: {
    modules: ['bytes', 'recipe', 'checkpoint', 'analysis', 'merge/figures', 'merge/figures-key', 'merge/plan-types', 'worker/client'],
    types: ['merge', 'worker/protocol'],
  },
  ui: {
    modules: ['state', 'analysis', 'recipe', 'checkpoint'],
    types: ['bytes', 'merge', 'export/types', 'worker/protocol'],
  },
};

/** Paths of a folder or module of src/, as a pattern: `merge/figures` is src/merge/figures.ts or a folder of that name. */
function inside(names) {
  return `^src/(${names.join('|')})(/|\\.tsx?$)`;
}

const directions = Object.entries(MAY_IMPORT).flatMap(([folder, { modules = [], types = [] }]) => {
  const narrower = Object.keys(MAY_IMPORT).filter((other) => other.startsWith(`${folder}/`));
  const from = { path: inside([folder]), ...(narrower.length > 0 ? { pathNot: inside(narrower) } : {}) };
  return [
    {
      name: `${folder}-imports`,
      comment: `src/${folder} may import: ${[...modules, ...types.map((name) => `types of ${name}`)].join(', ') || 'nothing'}.`,
      severity: 'error',
      from,
      to: { path: '^src/', pathNot: inside([folder, ...modules, ...types]) },
    },
    ...(types.length === 0
      ? []
      : [
          {
            name: `${folder}-imports-types-only`,
            comment: `src/${folder} may take only types of: ${types.join(', ')}; write "import type".`,
            severity: 'error',
            from,
            to: {
              path: inside(types),
              pathNot: inside([folder, ...modules]),
              dependencyTypesNot: ['type-only'],
            },
          },
        ]),
  ];
});

module.exports = {
  forbidden: [
    ...directions,
    {
      name: 'no-cycles',
      comment: 'A cycle means that two modules are one, or that a contract is missing.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      comment: 'A module that nothing imports and that imports nothing is a leftover.',
      severity: 'error',
      from: { orphan: true, path: '^src/', pathNot: ['\\.d\\.ts$', '^src/offline/'] },
      to: {},
    },
    {
      name: 'nothing-unreachable',
      comment: 'What neither the page nor the worker nor the command line reaches is dead code.',
      severity: 'error',
      from: { path: ENTRIES },
      to: { path: '^src/', pathNot: [ENTRIES, '\\.d\\.ts$'], reachable: false },
    },
    {
      name: 'page-entry-imports',
      comment: 'The entry of the page composes ui, state, the client of the worker and the pickers; it reaches no further.',
      severity: 'error',
      from: { path: '^src/main\\.tsx$' },
      to: { path: '^src/', pathNot: inside(['ui', 'state', 'worker/client', 'worker/spawn', 'files/pick']) },
    },
    {
      name: 'nobody-imports-an-entry',
      comment: 'But for the modules that start a worker, which import the address of its script (`?worker&url`).',
      severity: 'error',
      from: { pathNot: '^src/worker/(client|cpu-workers|hash-workers)\\.ts$' },
      to: { path: ENTRIES },
    },
    {
      name: 'react-in-ui-only',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(ui/|main\\.tsx$)' },
      to: { path: '(^|/)node_modules/(react|react-dom|@types/react|@types/react-dom)/' },
    },
    {
      name: 'recharts-in-charts-only',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/ui/charts/' },
      to: { path: '(^|/)node_modules/recharts/' },
    },
    {
      name: 'runtime-dependencies-declared',
      comment: 'What the page ships is listed under dependencies; Node and development packages never reach it.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cli/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'core'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'everything-resolves',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '\\?raw$|\\?url$|\\?worker' },
    },
    {
      name: 'src-never-imports-tests',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(tests|e2e|bench|scripts)/' },
    },
    {
      name: 'e2e-shares-nothing-with-src',
      comment: 'The end-to-end checks read and merge with code of their own, or they would repeat a mistake of src/.',
      severity: 'error',
      from: { path: '^e2e/' },
      to: { path: '^src/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.js', '.mjs', '.json'], exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
};
