import { DraftNotice } from '../checkpoints/DraftNotice';
import { describe } from '../checkpoints/LinkNotice';
import { ProblemList } from '../checkpoints/ProblemList';
import { Reopen, ReopenNamed } from '../checkpoints/Reopen';
import { Notice } from '../Notice';
import { StoredNotice } from '../run/StoredNotice';
import { TargetProblem } from '../run/TargetProblem';
import { UnfinishedNotice } from '../run/UnfinishedNotice';
import { useController, useStudio } from '../studio';

/** The page before anything is open. */
export function Start() {
  const controller = useController();
  const opening = useStudio((state) => state.checkpoints.opening > 0);
  const wanted = useStudio((state) => state.wanted);
  return (
    <main className="start">
      <section className="start-inner" aria-label="Checkpoints">
        <div>
          <h2>See what a merge throws away, before you run it</h2>
          <p className="lead">
            Drop a base model, a task model (SFT) and a continually pre-trained one (CT). Choose densities, lambda and slack while the charts show which
            values conflict and which are lost, then write a checkpoint that loads in transformers.
          </p>
        </div>
        {wanted && (
          <Notice grave="calm" role="status" title="This link holds a recipe" detail={`It is for ${wanted.names.map((name) => describe(name, wanted)).join(', ')}. Open these and it is applied.`}>
            <ReopenNamed names={wanted.names} />
          </Notice>
        )}
        {!wanted && <Reopen />}
        <TargetProblem />
        <UnfinishedNotice />
        <StoredNotice />
        <DraftNotice />
        <div className="drop-zone">
          <strong>{opening ? 'Reading headers' : 'Drop checkpoint folders, weight files or LoRA adapters anywhere'}</strong>
          <div className="row">
            <button type="button" className="button primary" disabled={opening} onClick={() => void controller.chooseFolder()}>
              Choose folder
            </button>
            <button type="button" className="button" disabled={opening} onClick={() => void controller.chooseFiles()}>
              Choose files
            </button>
            {opening && <span className="spinner" role="status" aria-label="Reading headers" />}
          </div>
          <p className="quiet-text">Safetensors or PyTorch .bin; an adapter as its folder, with its base. All at once or one by one, in any order; only headers are read at first.</p>
        </div>
        <ProblemList />
        <div className="sample">
          <button type="button" className="button" disabled={opening} onClick={() => void controller.openSample()}>
            Open the sample family
          </button>
          <p className="quiet-text">
            Five small Llama checkpoints, really trained: English base, SFT, Tamil and Uyghur CT, 3.2 MB each.{' '}
            <a href="./sample/LICENSES.md" target="_blank" rel="noreferrer">
              What they are and their licence
            </a>
          </p>
        </div>
        <p className="quiet-text">
          <strong>Nothing leaves this machine.</strong> Files are read and merged by this page; its security policy forbids it to connect anywhere else.
        </p>
      </section>
    </main>
  );
}
