/** The folder of a batch, which has each folder within it for itself as a merge has its own. */
import { join } from 'node:path';
import type { BatchFolder, ByteSink, ByteSource, Destination } from '../bytes/source';
import { DiskDestination } from './disk';
import { lockFolder } from './lock';

export class LockedFolders implements BatchFolder {
  /** By name. */
  private readonly held = new Map<string, Promise<() => Promise<void>>>();

  private constructor(
    private readonly inner: DiskDestination,
    private readonly sources: readonly string[],
  ) {}

  /** As `DiskDestination.make`, also for the folders within. */
  static async make(folder: string, sources: readonly string[]): Promise<LockedFolders> {
    return new LockedFolders(await DiskDestination.make(folder, sources), sources);
  }

  get name(): string {
    return this.inner.name;
  }
  list(): Promise<readonly string[]> {
    return this.inner.list();
  }
  create(name: string): Promise<ByteSink> {
    return this.inner.create(name);
  }
  open(name: string): Promise<ByteSource> {
    return this.inner.open(name);
  }
  remove(name: string): Promise<void> {
    return this.inner.remove(name);
  }

  /** Made where there is none, and taken until `release` or `removeEmpty`. Rejects as `DiskDestination.make` and `lockFolder` do. */
  async folder(name: string): Promise<Destination> {
    const path = join(this.inner.name, name);
    const folder = await DiskDestination.make(path, this.sources);
    const lock = this.held.get(name) ?? lockFolder(path);
    this.held.set(name, lock);
    await lock.catch((error: unknown) => {
      this.held.delete(name);
      throw error;
    });
    return folder;
  }
  async removeEmpty(name: string): Promise<void> {
    await this.giveBack(name);
    await this.inner.removeEmpty(name);
  }

  /** Gives all of them back. */
  async release(): Promise<void> {
    for (const name of [...this.held.keys()]) await this.giveBack(name);
  }

  private async giveBack(name: string): Promise<void> {
    const lock = this.held.get(name);
    this.held.delete(name);
    await (await lock?.catch(() => null))?.();
  }
}
