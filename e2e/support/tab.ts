/**
 * A tab as a person has one: it is hidden when another comes to the front, and its timers are throttled then. Playwright tells its
 * own pages that they are always in front, so this one is driven by the protocol alone.
 */
import { chromium, type Browser, type CDPSession } from '@playwright/test';
import { findChromium, launchArguments } from '../../scripts/chromium.mjs';

/** What Playwright switches off for its own pages, and nobody does for a tab. */
const NOT_THROTTLED = ['--disable-background-timer-throttling', '--disable-backgrounding-occluded-windows', '--disable-renderer-backgrounding'];
const POLL_MS = 50;
const TIMEOUT_MS = 120_000;

export async function launchThrottled(): Promise<Browser> {
  const executablePath = await findChromium();
  return chromium.launch({ ...(executablePath === null ? {} : { executablePath }), args: launchArguments({ webgpu: false }), ignoreDefaultArgs: NOT_THROTTLED });
}

interface Answer {
  readonly id?: number;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

export class Tab {
  private nextId = 1;
  private readonly waiting = new Map<number, (answer: Answer) => void>();

  private constructor(
    private readonly root: CDPSession,
    private readonly targetId: string,
    private readonly sessionId: string,
  ) {
    root.on('Target.receivedMessageFromTarget', (event: { sessionId: string; message: string }) => {
      if (event.sessionId !== sessionId) return;
      const answer = JSON.parse(event.message) as Answer;
      if (answer.id !== undefined) this.waiting.get(answer.id)?.(answer);
    });
  }

  /** An empty tab in front of the others. */
  static async open(root: CDPSession): Promise<Tab> {
    const { targetId } = await root.send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await root.send('Target.attachToTarget', { targetId, flatten: false });
    return new Tab(root, targetId, sessionId);
  }

  /** Loads `url`; `before` runs in the page ahead of its own scripts. */
  async visit(url: string, before: string): Promise<void> {
    await this.send('Page.enable');
    await this.send('Page.addScriptToEvaluateOnNewDocument', { source: before });
    await this.send('Page.navigate', { url });
  }

  async bringToFront(): Promise<void> {
    await this.root.send('Target.activateTarget', { targetId: this.targetId });
  }

  send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = this.nextId++;
    const answered = new Promise<Record<string, unknown>>((resolve, reject) => {
      this.waiting.set(id, ({ result, error }) => {
        this.waiting.delete(id);
        if (error) reject(new Error(`${method}: ${error.message}`));
        else resolve(result ?? {});
      });
    });
    const message = JSON.stringify({ id, method, params });
    return this.root.send('Target.sendMessageToTarget', { sessionId: this.sessionId, message }).then(() => answered);
  }

  /** The value of an expression in the page. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result } = (await this.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true, userGesture: true })) as { result: { value: T; subtype?: string; description?: string } };
    if (result.subtype === 'error') throw new Error(result.description);
    return result.value;
  }

  /** Until an expression is true. */
  async until(expression: string): Promise<void> {
    const end = Date.now() + TIMEOUT_MS;
    while (!(await this.evaluate<boolean>(`Boolean(${expression})`))) {
      if (Date.now() > end) throw new Error(`never true: ${expression}\n${await this.evaluate<string>('document.body.innerText')}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Drops folders of the disk on the page. */
  async drop(paths: readonly string[]): Promise<void> {
    const data = { items: [], files: [...paths], dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop']) await this.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data });
  }

  /** Presses a button, whether or not anybody could see it, as soon as it can be pressed. */
  async press(name: string): Promise<void> {
    await this.until(buttonOf(name));
    await this.evaluate(`${buttonOf(name)}.click()`);
  }
}

const buttonOf = (name: string) => `[...document.querySelectorAll('button:enabled')].find((button) => button.textContent === ${JSON.stringify(name)})`;
