/** What merges and scans have counted, kept so that nothing is counted twice. */
import { memoryFiguresStore } from '../files/figures-store';
import type { FiguresStore } from '../files/figures-store';
import type { TensorFigures } from './protocol';

export class ExactFigures {
  /** Of this session, where nothing outlives it. */
  private readonly session = memoryFiguresStore();
  /** Keys in the store of the browser; asked for once, so that a slider does not wait for a database. */
  private readonly stored: Promise<Set<string>>;
  /** What the latest job has counted so far. */
  private counting: { readonly key: string; readonly tensors: Map<string, TensorFigures> } | null = null;

  constructor(private readonly store: FiguresStore) {
    this.stored = store.keys().then((keys) => new Set(keys));
  }

  /** Figures of every merged tensor; null when not all were counted. */
  async all(key: string): Promise<readonly TensorFigures[] | null> {
    const known = await this.session.get(key);
    if (known || !(await this.stored).has(key)) return known;
    return this.store.get(key);
  }

  /** Figures of tensors that were counted although others were not, by name. */
  some(key: string): ReadonlyMap<string, TensorFigures> {
    return this.counting?.key === key ? this.counting.tensors : new Map();
  }

  /** `overflow` depends on what no key holds, and is left out. */
  add(key: string, { figures, ...tensor }: TensorFigures): void {
    if (this.counting?.key !== key) this.counting = { key, tensors: new Map() };
    this.counting.tensors.set(tensor.tensor, { ...tensor, figures: { ...figures, overflow: 0 } });
  }

  /** All tensors of `key` were added. `outlives`: whether the key still means the same after the page is closed. */
  async finish(key: string, outlives: boolean): Promise<void> {
    const tensors = [...this.some(key).values()];
    if (!outlives) return this.session.put(key, tensors);
    (await this.stored).add(key);
    await this.store.put(key, tensors);
  }
}
