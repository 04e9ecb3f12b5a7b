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
const adapter = await globalThis.gpu.requestAdapter();
if (!adapter) throw new Error('no WebGPU adapter; on a machine without GPU name a software one in VK_ICD_FILENAMES');
writeFileSync(output!, JSON.stringify(await measureTensor(adapter, Number(rows))));
// Dawn keeps the process alive.
process.exit(0);
