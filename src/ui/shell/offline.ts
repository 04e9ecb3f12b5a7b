/** The page's side of src/offline: whether this version is kept on this machine, and whether a newer one waits to take over. */
import type { StudioStore } from '../../state/store';

/** The parts of ServiceWorkerContainer this needs; tests bring their own. */
export type Keeper = Pick<ServiceWorkerContainer, 'controller' | 'ready' | 'getRegistration' | 'addEventListener'>;

/**
 * Watches the service worker that `register` starts. Without one (an insecure page, a browser that has none or refuses it) the
 * studio works as long as it can be fetched.
 */
export async function keepOffline(store: StudioStore, register: () => Promise<ServiceWorkerRegistration>, keeper: Keeper): Promise<void> {
  const set = (patch: Partial<{ kept: boolean; update: boolean }>) => store.setState(({ offline }) => ({ offline: { ...offline, ...patch } }));
  let registration: ServiceWorkerRegistration;
  try {
    registration = await register();
  } catch {
    return;
  }
  const isUpdate = () => registration.waiting !== null && registration.active !== null;
  const watch = (installing: ServiceWorker | null) => installing?.addEventListener('statechange', () => set({ update: isUpdate() }));
  watch(registration.installing);
  registration.addEventListener('updatefound', () => watch(registration.installing));
  set({ update: isUpdate() });
  await keeper.ready;
  set({ kept: true });
}

/** Lets the waiting version take over, and opens it in this tab. Other tabs keep theirs until they are reloaded. */
export async function takeOver(keeper: Keeper = navigator.serviceWorker, reload: () => void = () => location.reload()): Promise<void> {
  const waiting = (await keeper.getRegistration())?.waiting;
  if (!waiting) return;
  keeper.addEventListener('controllerchange', reload, { once: true });
  waiting.postMessage('take over');
}
