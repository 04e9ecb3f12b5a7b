/** Is a checkpoint what a plan gives? Merged again, tensor by tensor, and compared byte by byte; nothing is written. */
import type { Checkpoint, TensorEntry } from '../checkpoint/types';
import { throwIfAborted } from './abort';
import type { Backend } from './backend';
import { Difference, isRoundedApart, type TensorDifference } from './difference';
import { copyPart } from './copying';
import { COPY_BYTES } from './io-sizes';
import type { CopyStep, MergePlan, OutputTensor } from './plan-types';
import type { RunProgress } from './progress';
import { Sources } from './reading';
import type { OpenShard, ReadWatch } from './reading';
import { scanPlan } from './scan';
import type { ScanHooks } from './scan';

/** Tensors listed with differences that rounding may make, and with others; the rest is only counted. */
export const MOST_LISTED = 500;

export interface Verification {
  /** Tensors that the plan gives. */
  readonly tensors: number;
  /** Of them, those that are the same to the bit. */
  readonly same: number;
  /** Values of all tensors that were compared, and of them those that differ. */
  readonly values: number;
  readonly differing: number;
  /** The first that differ by no more than rounding may, and the first that differ by more, in the order they were compared. */
  readonly differences: readonly TensorDifference[];
  /** Tensors of the plan that the checkpoint lacks, and the reverse. */
  readonly missing: readonly string[];
  readonly foreign: readonly string[];
  /** Tensors of another shape or dtype than the plan's: not compared. */
  readonly reshaped: readonly { readonly tensor: string; readonly expected: string; readonly actual: string }[];
}

export type VerifyHooks = Pick<ScanHooks, 'signal' | 'ready' | 'onProgress' | 'readAheadBytes' | 'watchdog'>;

/**
 * Merges every tensor of `plan` again and compares it with the one of that name in `merged`, wherever its shards hold it. Metadata
 * and the order of tensors do not count. Values that are not finite are no reason to stop. Rejects as `scanPlan` does.
 */
export async function verifyPlan(plan: MergePlan, merged: Pick<Checkpoint, 'id' | 'tensors'>, backend: Backend, openShard: OpenShard, hooks: VerifyHooks): Promise<Verification> {
  const outputs = new Map(plan.shards.flatMap(({ tensors }) => tensors).map((tensor) => [tensor.name, tensor]));
  const found = new Map(merged.tensors.map((tensor) => [tensor.name, tensor]));
  const check = new Check(plan, outputs, found, merged.id, backend, openShard, hooks);
  let slot = 0;
  await scanPlan(plan, backend, openShard, {
    ...hooks,
    onProgress: (progress) => check.tell(progress),
    onTensor: () => {},
    write: ({ group }, bytes, isFirst) => {
      slot = isFirst ? 0 : slot;
      const done = check.take(group.slots[slot]!.name, bytes);
      if (done) slot++;
      return check.written;
    },
  });
  await check.written;
  for (const step of plan.steps) if (step.kind === 'copy') await check.copy(step);
  return check.result(merged);
}

class Check {
  /** Settles when everything handed over so far has been compared. */
  written: Promise<void> = Promise.resolve();
  private readonly sources: Sources;
  private readonly differences: TensorDifference[] = [];
  private readonly listed = { rounded: 0, others: 0 };
  private current: { readonly output: OutputTensor; readonly actual: TensorEntry | null; readonly difference: Difference; done: number } | null = null;
  private same = 0;
  private values = 0;
  private differing = 0;
  private bytesVerified = 0;
  private last: RunProgress | null = null;

  constructor(
    private readonly plan: MergePlan,
    private readonly outputs: ReadonlyMap<string, OutputTensor>,
    private readonly found: ReadonlyMap<string, TensorEntry>,
    private readonly merged: string,
    backend: Backend,
    openShard: OpenShard,
    private readonly hooks: VerifyHooks,
  ) {
    const ready = async () => {
      throwIfAborted(hooks.signal);
      await hooks.ready?.();
      throwIfAborted(hooks.signal);
    };
    let copyBytes = COPY_BYTES;
    const watch: ReadWatch = {
      ready,
      reading: (_, read) => read(),
      // Of the copies that begin from now on; 8: no value is cut.
      short: () => (copyBytes = Math.max(8, 8 * Math.floor(copyBytes / 16))),
      get copyBytes() {
        return copyBytes;
      },
      signal: hooks.signal,
      watchdog: hooks.watchdog,
    };
    this.sources = new Sources(openShard, watch, (request) => backend.adapt(request, hooks.signal));
  }

  /** The next bytes of a tensor, compared after those before them; true when they are its last. */
  take(name: string, bytes: Uint8Array): boolean {
    const output = this.outputs.get(name)!;
    const actual = this.found.get(name);
    const comparable = actual !== undefined && isAlike(output, actual) ? actual : null;
    this.current ??= { output, actual: comparable, difference: new Difference(name, output.dtype), done: 0 };
    const at = this.current;
    const begin = at.done;
    at.done += bytes.length;
    const isLast = at.done === output.end - output.begin;
    if (isLast) this.current = null;
    this.written = this.written.then(async () => {
      if (at.actual !== null) await this.compare(at.actual, at.difference, begin, bytes);
      if (isLast && at.actual !== null) this.settle(at.difference);
    });
    return isLast;
  }

  async copy({ tensor, parts }: CopyStep): Promise<void> {
    const { begin, end } = this.outputs.get(tensor)!;
    if (begin === end) this.take(tensor, new Uint8Array(0));
    for (const part of parts) {
      await copyPart(part, this.sources, async (bytes) => {
        this.take(tensor, bytes);
        await this.written;
      });
    }
    await this.written;
    if (this.last) this.tell({ ...this.last, tensorsDone: this.last.tensorsDone + 1 });
  }

  tell(progress: RunProgress): void {
    this.last = progress;
    const { tensors, bytesWritten } = this.plan;
    this.hooks.onProgress?.({ ...progress, tensors, bytesVerified: this.bytesVerified, bytesWrittenTotal: bytesWritten });
  }

  result({ tensors }: Pick<Checkpoint, 'tensors'>): Verification {
    const outputs = [...this.outputs.values()];
    const both = outputs.flatMap((output) => (this.found.has(output.name) ? [{ output, actual: this.found.get(output.name)! }] : []));
    return {
      tensors: outputs.length,
      same: this.same,
      values: this.values,
      differing: this.differing,
      differences: this.differences,
      missing: outputs.filter(({ name }) => !this.found.has(name)).map(({ name }) => name),
      foreign: tensors.filter(({ name }) => !this.outputs.has(name)).map(({ name }) => name),
      reshaped: both
        .filter(({ output, actual }) => !isAlike(output, actual))
        .map(({ output, actual }) => ({ tensor: output.name, expected: formOf(output), actual: formOf(actual) })),
    };
  }

  private async compare(actual: TensorEntry, difference: Difference, begin: number, expected: Uint8Array): Promise<void> {
    const { shard } = actual;
    const range = { checkpoint: this.merged, shard, begin: actual.begin + begin, end: actual.begin + begin + expected.length };
    difference.add(expected, await this.sources.read(range));
    this.bytesVerified += expected.length;
    if (this.last) this.tell(this.last);
  }

  private settle(difference: Difference): void {
    const { values, differing } = difference;
    this.values += values;
    this.differing += differing;
    if (differing === 0) this.same++;
    else this.list(difference.result());
  }

  /** However many tensors are rounded apart, one that is wrong has its place. */
  private list(difference: TensorDifference): void {
    const kind = isRoundedApart(difference) ? 'rounded' : 'others';
    if (this.listed[kind]++ < MOST_LISTED) this.differences.push(difference);
  }
}

type Form = Pick<OutputTensor, 'dtype' | 'shape'>;
const formOf = ({ dtype, shape }: Form) => `${dtype} [${shape.join(', ')}]`;
const isAlike = (a: Form, b: Form) => formOf(a) === formOf(b);
