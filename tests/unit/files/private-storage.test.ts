/** A page that browsers let write nowhere: said for what it is, before a merge and by one (issue 6). */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openExportFolder, visitExportFolder } from '../../../src/files/export-folder';
import { nowhereToWrite } from '../../../src/files/pick';
import { FileStore } from '../../../src/files/store';

function page({ isSecure, storage, pickers = false }: { isSecure: boolean; storage?: object; pickers?: boolean }): void {
  vi.stubGlobal('isSecureContext', isSecure);
  vi.stubGlobal('navigator', storage === undefined ? {} : { storage });
  if (pickers) vi.stubGlobal('showDirectoryPicker', () => {});
}
const merging = () => openExportFolder(null, new FileStore(), []);

describe('where there is nowhere to write', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('an insecure page is named as the reason', async () => {
    page({ isSecure: false });
    expect(nowhereToWrite()).toMatchObject({ code: 'destination', reason: 'insecure-page' });
    await expect(merging()).rejects.toMatchObject({ code: 'destination', reason: 'insecure-page' });
    expect(await visitExportFolder(null)).toBeNull();
  });

  it.each([undefined, {}])('a browser without such storage (%j) is another', async (storage) => {
    page({ isSecure: true, ...(storage ? { storage } : {}) });
    expect(nowhereToWrite()).toMatchObject({ code: 'destination', reason: 'no-storage' });
    await expect(merging()).rejects.toMatchObject({ code: 'destination', reason: 'no-storage' });
  });

  it('is none where there is a storage or a picker of folders', () => {
    page({ isSecure: true, storage: { getDirectory: () => {} } });
    expect(nowhereToWrite()).toBeNull();
    page({ isSecure: true, pickers: true });
    expect(nowhereToWrite()).toBeNull();
  });
});
