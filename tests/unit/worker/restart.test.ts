/** A worker that dies, and the one in its place: the page gives it everything again (faults.md B 39, the part that is no file). */
import { describe, expect, it } from 'vitest';
import { StudioError } from '../../../src/bytes/errors';
import { createController } from '../../../src/state/controller';
import type { ClockPort, FilePort, WorkerPort } from '../../../src/state/ports';
import { createStudioStore } from '../../../src/state/store';
import type { PickedFile, Reply, RequestName, RequestPayload, WorkerEvent } from '../../../src/worker/protocol';
import { FakeFolder } from '../files/fakes';
import { familyFiles, picked, shardBytes, startSession } from './family';
import { FolderDestination } from '../../../src/files/destination';

/** Real sessions, one after the other, over one folder; `die` ends the present one under whatever it is doing. */
class MortalWorker implements WorkerPort {
  readonly out = new FakeFolder('out');
  dies: (event: WorkerEvent) => boolean = () => false;
  restarts = 0;
  private pending = new Set<(error: StudioError) => void>();
  private mourn: (error: StudioError) => void = () => {};
  private listener: (event: WorkerEvent) => void = () => {};
  private session: ReturnType<typeof startSession> | null = this.start();

  async request<N extends RequestName>(name: N, payload: RequestPayload<N>): Promise<Reply<N>> {
    const { session } = this;
    if (!session) throw died();
    return new Promise<Reply<N>>((resolve, reject) => {
      this.pending.add(reject);
      void session.request(name, payload).then(resolve, reject).finally(() => this.pending.delete(reject));
    });
  }
  subscribe(listener: (event: WorkerEvent) => void): void {
    this.listener = listener;
  }
  onDeath(listener: (error: StudioError) => void): void {
    this.mourn = listener;
  }
  restart(): void {
    this.restarts++;
    this.session = this.start();
  }
  die(): void {
    this.session = null;
    for (const reject of this.pending) reject(died());
    this.mourn(died());
  }

  private start(): ReturnType<typeof startSession> {
    // What a dead worker was writing is gone with it; what it had finished stays.
    const openExportFolder = async () => ({ destination: new FolderDestination('out', this.out.handle), privateStorage: true, release: async () => {} });
    const session = startSession({}, { openExportFolder });
    const { events } = session;
    events.push = (event) => {
      if (this.session !== session) return 0;
      this.listener(event);
      if (this.dies(event)) this.die();
      return 0;
    };
    return session;
  }
}
const died = () => new StudioError('internal', 'worker-died', 'the worker died: test', { actual: 'test' });
const VALUES = { dtype: 'F32', shape: [4], values: [1, 2, 3, 4] } as const;
const other = (folder: string) => picked(`${folder}/model.safetensors`, shardBytes([{ name: 'model.norm.weight', ...VALUES }, { name: folder, ...VALUES }]));

async function studio() {
  const worker = new MortalWorker();
  const kept = { list: async () => [], keep: async () => [], forget: async () => [] };
  const files = { dropped: async (transfer: unknown) => transfer as readonly PickedFile[], sampleUrl: '', kept } as unknown as FilePort;
  const clock: ClockPort = { now: () => performance.now(), frame: (run) => void setTimeout(run), later: (_, run) => ((timer) => () => clearTimeout(timer))(setTimeout(run)) };
  const store = createStudioStore();
  const controller = createController(store, worker, files, clock);
  await controller.startBackend('cpu');
  const names = () => store.getState().checkpoints.open.map(({ name }) => name);
  const drop = (given: readonly PickedFile[]) => controller.drop(given);
  return { worker, store, controller, names, drop };
}

describe('a worker that dies', () => {
  it('in a merge: the job has failed, nothing answers until the restart, and then the same merge gives the same file', async () => {
    const { worker, store, controller, names, drop } = await studio();
    await drop(familyFiles());
    await controller.merge();
    const bytes = worker.out.files.get('model.safetensors')!.bytes;
    worker.out.files.clear();

    worker.dies = ({ event }) => event === 'progress';
    await controller.merge();
    worker.dies = () => false;
    expect(store.getState().job).toMatchObject({ status: 'failed', kind: 'merge', error: { reason: 'worker-died' } });
    expect(store.getState().worker).toMatchObject({ problem: { reason: 'worker-died' }, restarting: false });
    const before = store.getState();
    await expect(worker.request('start', { choice: 'cpu' })).rejects.toMatchObject({ reason: 'worker-died' });

    const restarting = controller.restart();
    expect(store.getState().worker.restarting).toBe(true);
    // Pressed twice.
    await Promise.all([restarting, controller.restart()]);
    expect(worker.restarts).toBe(1);
    const { worker: now, checkpoints, decisions, backend } = store.getState();
    expect([now.problem, checkpoints.problems, names()]).toEqual([null, [], before.checkpoints.open.map(({ name }) => name)]);
    expect([decisions.present, backend.report!.info.kind]).toEqual([before.decisions.present, 'cpu']);
    await expect.poll(() => store.getState().plan.summary, { timeout: 60_000 }).not.toBeNull();
    worker.out.files.clear();
    await controller.merge();
    expect(store.getState().job.status).toBe('finished');
    expect(Buffer.from(worker.out.files.get('model.safetensors')!.bytes).equals(Buffer.from(bytes))).toBe(true);
  });

  it('leaves closed what was closed, and names as they were', async () => {
    const { worker, controller, names, drop, store } = await studio();
    await drop([other('one')]);
    await drop([picked('two/one/model.safetensors', shardBytes([{ name: 'w', ...VALUES }]))]);
    await drop([other('three')]);
    expect(names()).toEqual(['one', 'one (2)', 'three']);
    await controller.close(store.getState().checkpoints.open[0]!.id);
    worker.die();
    await controller.restart();
    expect(names()).toEqual(['one (2)', 'three']);
    await expect(worker.request('close', { checkpoint: store.getState().checkpoints.open[1]!.id })).resolves.toBeNull();
  });

  it('a file that changed meanwhile is closed, and said', async () => {
    const { worker, controller, names, drop, store } = await studio();
    const handle = { bytes: new Uint8Array(await (other('one').handle as File).arrayBuffer()), async getFile() { return new File([this.bytes], 'model.safetensors', { lastModified: 7 }); } };
    await drop([other('two'), { path: 'one/model.safetensors', handle }]);
    expect(names().sort()).toEqual(['one', 'two']);
    handle.bytes = handle.bytes.slice(0, 50);
    worker.die();
    await controller.restart();
    expect([names(), store.getState().checkpoints.problems.map(({ file }) => file)]).toEqual([['two'], ['one/model.safetensors']]);
  });
});
