/** The folder that a job writes to, for as long as anything may still happen in it. */
import { Watchdog, WriteLimits } from '../bytes/watchdog';
import type { ExportFolder } from '../files/export-folder';
import { stalled, WatchedFolders, type FolderWatch } from '../merge/watched-folder';

/**
 * What `act` brings with the folder that `open` takes, which nobody else has meanwhile. Operations in it that never end are given up
 * (`WatchedFolder`); the folder is let go when they have ended after all, or with the page: what they do then would be done to another's
 * export. Rejects as both do, and with DestinationError `stalled` when the folder, `name`, cannot be opened.
 */
export async function withFolder<T>(name: string, open: () => Promise<ExportFolder>, watch: FolderWatch, act: (destination: WatchedFolders, folder: ExportFolder) => Promise<T>): Promise<T> {
  const { watchdog = new Watchdog(), signal } = watch;
  let opening: Promise<ExportFolder> | null = null;
  let folder: ExportFolder;
  try {
    folder = await watchdog.over({ limitMs: new WriteLimits().of(0), fault: (seconds) => stalled(name, seconds), signal }, () => (opening = open()));
  } catch (error) {
    void (opening as Promise<ExportFolder> | null)?.then(({ release }) => release()).catch(() => {});
    throw error;
  }
  const destination = WatchedFolders.overAll(folder.destination, watch);
  try {
    return await act(destination, folder);
  } finally {
    const letGo = destination.settled().then(() => folder.release());
    if (destination.unsettled.length === 0) await letGo;
  }
}
