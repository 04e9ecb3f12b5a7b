/**
 * A browser with a profile of its own, as a person has one: folders of the disk are written to with its permission, and its settings
 * take that away again. (Pages of a browser without a profile have no settings, and no dialog can be answered without a screen.)
 */
import { chromium, type BrowserContext, type CDPSession, type Page } from '@playwright/test';
import { findChromium, launchArguments } from '../../scripts/chromium.mjs';
import { drop } from './drop';

/** Gives the next destination that is asked for the folder that is dropped next: pickers cannot be automated. */
const PICK_BY_DROP = `
  let take = null;
  window.showDirectoryPicker = () => new Promise((resolve) => (take = resolve));
  window.addEventListener('drop', (event) => {
    if (take === null) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    // Of this drop the studio hears nothing but that it is over.
    window.dispatchEvent(new DragEvent('dragleave'));
    event.dataTransfer.items[0].getAsFileSystemHandle().then(take);
    take = null;
  }, { capture: true });`;

/** How the browser's own pages talk to it. */
interface Settings {
  readonly chrome: { send(message: string, given: readonly unknown[]): void };
  readonly cr: { webUIResponse(id: string, ...rest: unknown[]): void };
}

export class Profile {
  private constructor(
    private readonly context: BrowserContext,
    private readonly root: CDPSession,
    /** The browser's own settings. */
    private readonly settings: Page,
    readonly page: Page,
    private readonly address: string,
  ) {}

  /** Opens the studio at `address`. `folder` holds the profile, and is one again after the browser was closed or killed. */
  static async open(folder: string, address: string): Promise<Profile> {
    const executablePath = await findChromium();
    const context = await chromium.launchPersistentContext(folder, {
      ...(executablePath === null ? {} : { executablePath }),
      args: launchArguments({ webgpu: false }),
      viewport: { width: 1280, height: 720 },
    });
    context.setDefaultTimeout(120_000);
    const root = await context.browser()!.newBrowserCDPSession();
    const settings = context.pages()[0]!;
    await settings.goto('chrome://settings/content/filesystem');
    const page = await context.newPage();
    const profile = new Profile(context, root, settings, page, address);
    await page.addInitScript(PICK_BY_DROP);
    // What a person allows for one folder in the dialog; here for those that are dropped from now on.
    await profile.tell('setOriginPermissions', 'file-system-write', 'allow');
    await page.goto(address);
    return profile;
  }

  /** Answers the picker that the page has opened with a folder of the disk. */
  async pick(path: string): Promise<void> {
    await drop(this.page, [path]);
  }

  /** Withdraws every permission for a folder that was given, as the browser's settings do. */
  async withdraw(path: string): Promise<void> {
    await this.tell('revokeFileSystemGrant', path);
  }

  /** Ends the browser as a lack of power would. */
  async kill(): Promise<void> {
    const { processInfo } = await this.root.send('SystemInfo.getProcessInfo');
    const closed = this.context.waitForEvent('close');
    process.kill(processInfo.find(({ type }) => type === 'browser')!.id, 'SIGKILL');
    await closed;
  }

  close(): Promise<void> {
    return this.context.close();
  }

  /** Resolves once the settings have answered a question that was asked after the message. */
  private async tell(message: string, ...given: string[]): Promise<void> {
    const { origin } = new URL(this.address);
    await this.settings.evaluate(
      ([name, of, ...all]) => {
        const { chrome, cr } = window as unknown as Settings;
        const answer = cr.webUIResponse;
        const id = `after ${name}`;
        return new Promise<void>((resolve) => {
          cr.webUIResponse = (asked, ...rest) => {
            if (asked !== id) return answer(asked, ...rest);
            cr.webUIResponse = answer;
            resolve();
          };
          chrome.send(name!, [of, ...all]);
          chrome.send('getOriginPermissions', [id, of, ['file-system-write']]);
        });
      },
      [message, origin, ...given],
    );
  }
}
