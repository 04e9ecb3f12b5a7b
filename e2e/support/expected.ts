import { expect } from './fixtures';
import { hashOf, sampleTensors } from './family';
import { mergeTies, type Counts } from './merge';
import { namesInOrder, readSafetensors, type Tensors } from './safetensors';

/** SHA-256 of the merge of `sft` and `ct-x-4M` at (0.2, 1.0) with 4 % of the retained values reserved, by NumPy: figures.json. */
export const PAPER_SLACK_HASH = 'fd1a8384410dd3193b96dc46c062aa90eeed3159e8d31b86fa01266c5fb08433';

/** Its counts, from the same file. */
export const PAPER_SLACK_COUNTS = { numel: 1_575_040, keptSft: 314_973, conflict: 142_730, electsSft: 114_753, electsCt: 27_977, reserved: 12_418 };

/** The paper's merge with slack of 4 %, by the independent merger. */
export function paperSlack(base: Tensors, sft: Tensors, ct: Tensors): { tensors: Tensors; counts: Counts } {
  const models = [
    { tensors: sft, density: 0.2, weight: 1 },
    { tensors: ct, density: 1, weight: 1 },
  ];
  return mergeTies(base, models, { lambda: 1, slack: 0.04, out: 'BF16' });
}

export async function paperSlackOfSample(): Promise<Tensors> {
  return paperSlack(await sampleTensors('base'), await sampleTensors('sft'), await sampleTensors('ct-x-4M')).tensors;
}

/** Same names, types, shapes and bytes; says which tensor differs, and at how many values, before it fails. */
export function expectSameTensors(found: Tensors, expected: Tensors): void {
  expect(namesInOrder(found)).toEqual(namesInOrder(expected));
  const differences = namesInOrder(expected).flatMap((name) => {
    const [a, b] = [found.get(name)!, expected.get(name)!];
    if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join()) return [`${name}: ${a.dtype} [${a.shape}], not ${b.dtype} [${b.shape}]`];
    const bytes = b.bytes.filter((byte, i) => byte !== a.bytes[i]).length;
    return bytes === 0 ? [] : [`${name}: ${bytes} of ${b.bytes.length} bytes differ`];
  });
  expect(differences).toEqual([]);
}

/** The merged file of the sample family: bit for bit what the independent merger gives, and what NumPy gave. */
export async function expectPaperSlack(file: Uint8Array): Promise<void> {
  const { tensors, metadata } = readSafetensors(file);
  expect(metadata.format).toBe('pt');
  expectSameTensors(tensors, await paperSlackOfSample());
  expect(hashOf(tensors)).toBe(PAPER_SLACK_HASH);
}
