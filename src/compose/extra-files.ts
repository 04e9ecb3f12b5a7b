/** What is written beside the weights, as the run wants it: names before it starts, contents when the figures are there. */
import type { ByteSource } from '../bytes/source';
import type { FileEntry } from '../checkpoint/types';
import { exportFiles, exportNotes } from '../export/files';
import { configFile } from '../export/sources';
import type { ExportFile, ExportNote } from '../export/types';
import type { MergePlan } from '../merge/plan-types';
import type { ExtraFile, RunFigures } from '../merge/run-types';
import { exportInput, type ExportSubject } from './export-input';

export type OpenFile = (entry: FileEntry) => Promise<ByteSource>;

/** The files beside the weights of a merge of `subject`. Rejects as `openFile` and its sources do. */
export async function extraFiles(subject: Omit<ExportSubject, 'config'>, openFile: OpenFile): Promise<ExtraFile[]> {
  const whole = { ...subject, config: await readConfig(subject, openFile) };
  let finished: readonly ExportFile[] | null = null;
  const contentOf = async (name: string, figures: RunFigures) => {
    finished ??= exportFiles(exportInput(whole, figures));
    const file = finished.find((one) => one.name === name)!;
    return 'copyFrom' in file ? openFile(file.copyFrom) : file.bytes;
  };
  return exportFiles(exportInput(whole, null)).map(({ name }) => ({ name, content: (figures) => contentOf(name, figures) }));
}

/** What there is to know of those files before they are written. Rejects as `openFile` and its sources do. */
export async function notesOnExtras(subject: Omit<ExportSubject, 'config'>, openFile: OpenFile): Promise<ExportNote[]> {
  return exportNotes(exportInput({ ...subject, config: await readConfig(subject, openFile) }, null));
}

async function readConfig({ recipe, checkpoints }: Omit<ExportSubject, 'config'>, openFile: OpenFile): Promise<Uint8Array | null> {
  const entry = configFile(recipe, checkpoints);
  return entry === null ? null : (await openFile(entry)).read(0, entry.size);
}

/** N of every merged tensor. */
export function elementsOf({ steps }: MergePlan): ReadonlyMap<string, number> {
  return new Map(steps.flatMap((step) => (step.kind === 'merge' ? step.group.slots.map(({ name, elements }) => [name, elements] as const) : [])));
}
