/** The series of the trained miniature family: counts and merged bytes on real checkpoints (merging.md sections 2 to 6). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareUtf8 } from '../../src/bytes/utf8';
import type { Backend } from '../../src/merge/backend';
import { addFigures, emptyFigures, type Figures } from '../../src/merge/figures';
import type { TensorParameters } from '../../src/recipe/types';
import { loadJson } from './fixtures';
import { concatenate, mergeWhole, type SlotCase } from './harness';
import { elementsOf, readSafetensors, type Tensor } from './safetensors';

type ExpectedCounts = Pick<Figures, 'numel' | 'kept' | 'nonzero' | 'conflict' | 'won' | 'discarded' | 'reserved'>;

interface SeriesEntry {
  readonly models: readonly string[];
  readonly density: readonly number[];
  readonly slack: { readonly s: number; readonly of: 'retained' | 'discarded'; readonly prefer: string } | null;
  readonly total: ExpectedCounts;
  readonly per_tensor: Readonly<Record<string, ExpectedCounts>>;
  readonly sha256_of_bf16_tensors_in_utf8_name_order: string;
}

const series = Object.entries(await loadJson<Record<string, SeriesEntry>>('checkpoints/figures.json'));

/**
 * @param loadCheckpoint bytes of the single safetensors file of a checkpoint, by its folder's name
 * @param wanted entries to run, by title; all of them unless a backend is too slow for that
 */
export function describeFigures(
  name: string,
  makeBackend: () => Promise<Backend>,
  loadCheckpoint: (folder: string) => Promise<Uint8Array<ArrayBuffer>>,
  wanted: (title: string) => boolean = () => true,
): void {
  describe(`figures.json on ${name}`, () => {
    let backend: Backend;
    const checkpoints = new Map<string, Map<string, Tensor>>();
    const checkpoint = async (folder: string) => {
      const known = checkpoints.get(folder) ?? readSafetensors(await loadCheckpoint(folder));
      checkpoints.set(folder, known);
      return known;
    };
    beforeAll(async () => {
      backend = await makeBackend();
    });
    afterAll(() => {
      backend.dispose();
    });

    it('has every entry of the series', () => {
      expect(series.length).toBe(26);
    });

    for (const [title, entry] of series.filter(([title]) => wanted(title))) {
      it(title, async () => {
        const inputs = await Promise.all(['base', ...entry.models].map(checkpoint));
        const base = inputs[0]!;
        const slots = [...base.keys()].sort(compareUtf8).map(
          (tensor): SlotCase => ({
            name: tensor,
            elements: elementsOf(base.get(tensor)!),
            inputs: inputs.map((input) => input.get(tensor)!),
            outDtype: 'BF16',
            parameters: parametersOf(entry),
          }),
        );
        const { result, outputs } = await mergeWhole(backend, entry.slack ? 'ties_sv' : 'ties', slots);
        const total = emptyFigures(entry.models.length);
        for (const [s, slot] of slots.entries()) {
          expect(countsOf(result.slots[s]!.figures), slot.name).toEqual(entry.per_tensor[slot.name]);
          addFigures(total, result.slots[s]!.figures);
        }
        expect(Object.keys(entry.per_tensor).length).toBe(slots.length);
        expect(countsOf(total), 'total').toEqual(entry.total);
        expect(await sha256(concatenate(outputs))).toBe(entry.sha256_of_bf16_tensors_in_utf8_name_order);
      });
    }
  });
}

function parametersOf({ models, density, slack }: SeriesEntry): TensorParameters {
  return {
    weight: models.map(() => 1),
    density,
    lambda: 1,
    normalize: true,
    rescale: false,
    ...(slack ? { slack: { s: slack.s, of: slack.of, prefer: models.indexOf(slack.prefer) } } : {}),
  };
}

function countsOf({ numel, kept, nonzero, conflict, won, discarded, reserved }: Figures): ExpectedCounts {
  return { numel, kept, nonzero, conflict, won, discarded, reserved };
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
