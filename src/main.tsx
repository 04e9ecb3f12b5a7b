/** The page's entry: the worker, the store, the controller and React, put together. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createController } from './state/controller';
import type { ClockPort, FilePort } from './state/ports';
import { createStudioStore } from './state/store';
import { App } from './ui/App';
import { rememberAddress } from './ui/shell/address-bar';
import { keptMemory, rememberMemory } from './ui/shell/kept-memory';
import { keptSnapshots, rememberSnapshots } from './ui/shell/kept-snapshots';
import { keepAwake } from './ui/shell/keep-awake';
import { keepOffline } from './ui/shell/offline';
import { rememberTheme, storedTheme } from './ui/shell/theme';
import { StudioContext } from './ui/studio';
import { canWriteFolders, chooseDestination, chooseFiles, chooseFolder, dropped, nowhereToWrite, openKeptHandles, save, WorkerClient } from './worker/client';
import { scriptUrl } from './worker/spawn';

const files: FilePort = {
  dropped: (transfer) => dropped(transfer as Parameters<typeof dropped>[0]),
  chooseFiles,
  chooseFolder,
  chooseDestination,
  save,
  kept: openKeptHandles(Date.now()),
  sampleUrl: new URL('sample/', document.baseURI).href,
};

const clock: ClockPort = {
  now: () => performance.now(),
  // A hidden page draws no frames, but its figures should be there when it is shown again.
  frame: (run) => void (document.hidden ? setTimeout(run) : requestAnimationFrame(run)),
  later(milliseconds, run) {
    const timer = setTimeout(run, milliseconds);
    return () => clearTimeout(timer);
  },
};

const nowhere = nowhereToWrite()?.toWire() ?? null;
const store = createStudioStore({ theme: storedTheme(), canWriteFolders: canWriteFolders(), nowhere, snapshots: keptSnapshots(), memory: keptMemory() });
const controller = createController(store, new WorkerClient(), files, clock);
rememberTheme(store);
rememberSnapshots(store);
rememberMemory(store);
keepAwake(store);
rememberAddress(store, controller);
void controller.startBackend('auto');
void controller.lookAtTarget();
void controller.lookAtKept();
// A development server's files change under it; an insecure page has no service worker.
if (import.meta.env.PROD && 'serviceWorker' in navigator) {
  const script = scriptUrl(new URL('service-worker.js', document.baseURI).href);
  void keepOffline(store, () => navigator.serviceWorker.register(script), navigator.serviceWorker);
}

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <StudioContext value={{ store, controller }}>
      <App />
    </StudioContext>
  </StrictMode>,
);
