/** The machine stays awake while a job runs, and only then (issue 4, long runs). */
import { describe, expect, it } from 'vitest';
import { createStudioStore } from '../../../src/state/store';
import type { Job } from '../../../src/state/types';
import { keepAwake } from '../../../src/ui/shell/keep-awake';

const settle = () => new Promise((resolve) => setTimeout(resolve, 0));
const job = (status: 'running' | 'paused' | 'cancelling'): Job => ({ status, kind: 'merge', progress: null });

function page(request?: () => Promise<{ release(): Promise<void> }>) {
  const store = createStudioStore({ theme: 'system', canWriteFolders: false, snapshots: [] });
  const events: string[] = [];
  let shown: () => void = () => {};
  const document = { visibilityState: 'visible' as DocumentVisibilityState, addEventListener: (_: string, listener: () => void) => void (shown = listener) };
  const wakeLock = {
    request: request ?? (async () => {
      events.push('on');
      return { release: async () => void events.push('off') };
    }),
  };
  keepAwake(store, { wakeLock, document: document as unknown as Document });
  const show = (state: DocumentVisibilityState) => {
    document.visibilityState = state;
    shown();
  };
  return { store, events, show };
}

describe('the wake lock', () => {
  it('is held from the start of a job to its end, once, and not while it is paused', async () => {
    const { store, events } = page();
    for (const next of [job('running'), { ...job('running') }, job('paused'), job('running'), job('cancelling'), { status: 'idle' } as const]) {
      store.setState({ job: next });
      await settle();
    }
    expect(events).toEqual(['on', 'off', 'on', 'off']);
  });

  it('is asked for again when a hidden page is shown while a job runs, and not otherwise', async () => {
    const { store, events, show } = page();
    show('visible');
    store.setState({ job: job('running') });
    await settle();
    show('hidden');
    await settle();
    expect(events).toEqual(['on']);
    show('visible');
    await settle();
    expect(events).toEqual(['on', 'on', 'off']);
    store.setState({ job: { status: 'idle' } });
    await settle();
    expect(events.filter((event) => event === 'off').length).toBe(2);
  });

  it('refused or absent, stops nothing', async () => {
    const { store } = page(async () => Promise.reject(new DOMException('low battery', 'NotAllowedError')));
    store.setState({ job: job('running') });
    await settle();
    store.setState({ job: { status: 'idle' } });
    await settle();
    const without = createStudioStore({ theme: 'system', canWriteFolders: false, snapshots: [] });
    keepAwake(without, { document: { visibilityState: 'visible', addEventListener: () => {} } });
    without.setState({ job: job('running') });
    expect(without.getState().job.status).toBe('running');
  });
});
