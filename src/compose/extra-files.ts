/** What is written beside the weights, as the run wants it: names before it starts, contents when the figures are there. */
import type { ByteSource } from '../bytes/source';
import type { FileEntry } from '../checkpoint/types';
import { exportFiles } from '../export/files';
import { configFile } from '../export/sources';
import type { ExportFile } from '../export/types';
import type { MergePlan } from '../merge/plan-types';
import type { ExtraFile, RunFigures } from '../merge/run-types';
import { exportInput, type ExportSubject } from './export-input';

export type OpenFile = (entry: FileEntry) => Promise<ByteSource>;

/** The files beside the weights of a merge of `subject`. Rejects as `openFile` and its sources do. */
export async function extraFiles(subject: Omit<ExportSubject, 'config'>, openFile: OpenFile): Promise<ExtraFile[]> {
  const entry = configFile(subject.recipe, subject.checkpoints);
  const config = entry === null ? null : await (await openFile(entry)).read(0, entry.size);
  const whole = { ...subject, config };
  let finished: readonly ExportFile[] | null = null;
  const contentOf = async (name: string, figures: RunFigures) => {
    finished ??= exportFiles(exportInput(whole, figures));
    const file = finished.find((one) => one.name === name)!;
    return 'copyFrom' in file ? openFile(file.copyFrom) : file.bytes;
  };
  return exportFiles(exportInput(whole, null)).map(({ name }) => ({ name, content: (figures) => contentOf(name, figures) }));
}

/** N of every merged tensor. */
export function elementsOf({ steps }: MergePlan): ReadonlyMap<string, number> {
  return new Map(steps.flatMap((step) => (step.kind === 'merge' ? step.group.slots.map(({ name, elements }) => [name, elements] as const) : [])));
}
