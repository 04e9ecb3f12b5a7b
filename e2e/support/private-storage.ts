import type { Page } from '@playwright/test';

/** Every file below a folder of the page's private storage, by path, with its size. Empty when there is no such folder. */
export async function privateFiles(page: Page, folder: string): Promise<Record<string, number>> {
  return page.evaluate(async (path) => {
    const sizes: Record<string, number> = {};
    const walk = async (directory: FileSystemDirectoryHandle, prefix: string): Promise<void> => {
      for await (const [name, handle] of directory.entries()) {
        if (handle instanceof FileSystemDirectoryHandle) await walk(handle, `${prefix}${name}/`);
        else sizes[prefix + name] = (await (handle as FileSystemFileHandle).getFile()).size;
      }
    };
    let directory = await navigator.storage.getDirectory();
    try {
      for (const part of path.split('/')) directory = await directory.getDirectoryHandle(part);
    } catch {
      return sizes;
    }
    await walk(directory, '');
    return sizes;
  }, folder);
}

/** The bytes of one file of private storage. */
export async function privateFile(page: Page, folder: string, name: string): Promise<Buffer> {
  const text = await page.evaluate(
    async ([path, file]) => {
      let directory = await navigator.storage.getDirectory();
      for (const part of path!.split('/')) directory = await directory.getDirectoryHandle(part);
      const blob = await (await directory.getFileHandle(file!)).getFile();
      return new Promise<string>((resolve, reject) => {
        const reader = new FileReader();
        reader.onload = () => resolve(String(reader.result).split(',')[1] ?? '');
        reader.onerror = () => reject(reader.error ?? new Error('unreadable'));
        reader.readAsDataURL(blob);
      });
    },
    [folder, name],
  );
  return Buffer.from(text, 'base64');
}

/**
 * Makes the destination picker give a folder of private storage: pickers cannot be automated, and its handles have the
 * same interface. Must be called before the page is opened.
 */
export async function pickPrivateFolder(page: Page, name: string): Promise<void> {
  await page.addInitScript((folder) => {
    Object.assign(globalThis, {
      showDirectoryPicker: async () => (await navigator.storage.getDirectory()).getDirectoryHandle(folder, { create: true }),
    });
  }, name);
}

/** Takes the pickers of the File System Access API away, as in Firefox and Safari. Must be called before the page is opened. */
export async function withoutPickers(page: Page): Promise<void> {
  await page.addInitScript(() => {
    for (const name of ['showOpenFilePicker', 'showDirectoryPicker', 'showSaveFilePicker']) Reflect.deleteProperty(globalThis, name);
  });
}
