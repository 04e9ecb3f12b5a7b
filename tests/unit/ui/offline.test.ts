/** The page's side of the service worker: what it says, and when a newer version takes over (issue 6, offline). */
import { describe, expect, it } from 'vitest';
import { createStudioStore } from '../../../src/state/store';
import { keepOffline, takeOver, type Keeper } from '../../../src/ui/shell/offline';

class Events {
  private readonly listeners = new Map<string, (() => void)[]>();
  addEventListener(type: string, listener: () => void): void {
    this.listeners.set(type, [...(this.listeners.get(type) ?? []), listener]);
  }
  emit(type: string): void {
    for (const listener of this.listeners.get(type) ?? []) listener();
  }
}
class Script extends Events {
  readonly messages: unknown[] = [];
  postMessage(message: unknown): void {
    this.messages.push(message);
  }
}
class Registration extends Events {
  installing: Script | null = null;
  waiting: Script | null = null;
  active: Script | null = null;
}

function page() {
  const store = createStudioStore();
  const registration = new Registration();
  let ready = (_: unknown) => {};
  const keeper = Object.assign(new Events(), {
    controller: null,
    ready: new Promise((resolve) => (ready = resolve)),
    getRegistration: async () => registration,
  });
  return {
    store,
    registration,
    emit: (type: string) => keeper.emit(type),
    ready: () => ready(null),
    keeper: keeper as unknown as Keeper,
    register: async () => registration as unknown as ServiceWorkerRegistration,
  };
}
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

describe('the studio kept on this machine', () => {
  it('is said once the first version is whole, and no update is spoken of', async () => {
    const { store, registration, keeper, register, ready } = page();
    const first = new Script();
    registration.installing = first;
    const watching = keepOffline(store, register, keeper);
    await settle();
    expect(store.getState().offline).toEqual({ kept: false, update: false });
    registration.installing = null;
    registration.waiting = first;
    first.emit('statechange');
    expect(store.getState().offline.update).toBe(false);
    registration.waiting = null;
    registration.active = first;
    first.emit('statechange');
    ready();
    await watching;
    expect(store.getState().offline).toEqual({ kept: true, update: false });
  });

  it('says that a newer version waits, whether it was there before or came later', async () => {
    for (const cameLater of [false, true]) {
      const { store, registration, keeper, register, ready } = page();
      registration.active = new Script();
      const newer = new Script();
      if (!cameLater) registration.waiting = newer;
      ready();
      await keepOffline(store, register, keeper);
      if (cameLater) {
        expect(store.getState().offline.update).toBe(false);
        registration.installing = newer;
        registration.emit('updatefound');
        registration.installing = null;
        registration.waiting = newer;
        newer.emit('statechange');
      }
      expect(store.getState().offline).toEqual({ kept: true, update: true });
    }
  });

  it('says nothing where the browser refuses a service worker', async () => {
    const { store, keeper } = page();
    await keepOffline(store, () => Promise.reject(new DOMException('no', 'SecurityError')), keeper);
    expect(store.getState().offline).toEqual({ kept: false, update: false });
  });

  it('takes over only when asked, and then opens the newer version here', async () => {
    const { registration, keeper, emit } = page();
    let reloads = 0;
    await takeOver(keeper, () => reloads++);
    emit('controllerchange');
    expect(reloads, 'nothing waits').toBe(0);
    registration.waiting = new Script();
    await takeOver(keeper, () => reloads++);
    expect(registration.waiting.messages).toEqual(['take over']);
    expect(reloads).toBe(0);
    emit('controllerchange');
    expect(reloads).toBe(1);
  });
});
