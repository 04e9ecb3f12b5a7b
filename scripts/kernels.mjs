/**
 * A Vite plugin: `import bytes from '.../kernels/index.ts?kernels'` compiles AssemblyScript and gives the WebAssembly module's bytes
 * in base64. They travel inside the script of the worker that runs them: nothing is fetched, and Node reads no file.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const SUFFIX = '?kernels';
/** 2 MiB, of which the blocks of 64 models take most; src/cpu/kernels.ts lays them out. */
const PAGES = '32';
const OPTIONS = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--initialMemory', PAGES, '--maximumMemory', PAGES];
/** Two warnings of what only other embeddings mind: vectors between functions, which are all inlined, and 64-bit addresses. */
const QUIET = ['--disableWarning', '112', '--disableWarning', '201'];

/** By folder: the module, as long as no source in it changes. */
const compiled = new Map();

/** The module of the AssemblyScript file `entry`. Rejects with the compiler's own message. */
export async function compileKernels(entry) {
  const folder = dirname(entry);
  const sources = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8')).join('\0');
  const known = compiled.get(entry);
  if (known?.sources === sources) return known.module;
  const module = compile(entry);
  compiled.set(entry, { sources, module });
  return module;
}

async function compile(entry) {
  const { default: asc } = await import('assemblyscript/asc');
  const written = new Map();
  const { error, stderr } = await asc.main([entry, '--baseDir', dirname(entry), ...OPTIONS, ...QUIET, '--outFile', 'kernels.wasm'], {
    writeFile: (name, contents) => void written.set(name, contents),
    listFiles: () => [],
  });
  const said = stderr.toString();
  if (error || said !== '') throw new Error(`${entry}: ${said || error.message}`);
  return Buffer.from(written.get('kernels.wasm'));
}

export function kernels() {
  return {
    name: 'kernels',
    enforce: 'pre',
    async load(id) {
      if (!id.endsWith(SUFFIX)) return null;
      const entry = id.slice(0, -SUFFIX.length);
      for (const name of readdirSync(dirname(entry))) this.addWatchFile(join(dirname(entry), name));
      return `export default ${JSON.stringify((await compileKernels(entry)).toString('base64'))};`;
    },
  };
}
