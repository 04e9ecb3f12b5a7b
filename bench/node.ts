/** The engine without a browser: the same tensor and passes on the adapter that Dawn finds. Prints the report as JSON. */
import { writeFileSync } from 'node:fs';
import { create, globals } from 'webgpu';
import { measureTensor } from './tensor';

declare global {
  /** Held for the whole run: when it is collected, Dawn goes with everything made of it. */
  var gpu: GPU;
}

const [rows, output] = process.argv.slice(2);
Object.assign(globalThis, globals, { gpu: create([]) });
writeFileSync(output!, JSON.stringify(await measureTensor(globalThis.gpu, Number(rows))));
// Dawn keeps the process alive.
process.exit(0);
