import type { Page } from '@playwright/test';

const COPY = 1;

/** Drops files or folders of the disk on the middle of the page, as the operating system does: through the browser itself. */
export async function drop(page: Page, paths: readonly string[]): Promise<void> {
  const { width, height } = page.viewportSize()!;
  const at = { x: Math.round(width / 2), y: Math.round(height / 2) };
  const data = { items: [], files: [...paths], dragOperationsMask: COPY };
  const session = await page.context().newCDPSession(page);
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) await session.send('Input.dispatchDragEvent', { type, ...at, data });
  await session.detach();
}
