import type { KeptRoot } from '../../worker/protocol';
import { Notice } from '../Notice';
import { showName } from '../format';
import { useController, useStudio } from '../studio';

/** What the browser can open again, as it was left: the last page's all at once, earlier ones each for itself. */
export function Reopen() {
  const controller = useController();
  const kept = useStudio((state) => state.kept);
  const opening = useStudio((state) => state.checkpoints.opening > 0);
  if (kept.length === 0) return null;
  const { last, earlier } = bySession(kept);
  return (
    <Notice grave="calm" title="Open before" detail="The browser keeps where these lie, and asks you before it reads them again.">
      <div className="row">
        <button type="button" className="button small" disabled={opening} onClick={() => void controller.reopenKept(keysOf(last))}>
          Reopen {namesOf(last)}
        </button>
        {earlier.map((root) => (
          <button key={root.key} type="button" className="button quiet small" disabled={opening} onClick={() => void controller.reopenKept([root.key])}>
            Reopen {namesOf([root])}
          </button>
        ))}
        <button type="button" className="button quiet small" onClick={() => void controller.forgetKept(keysOf(kept))}>
          Forget {kept.length === 1 ? 'it' : 'all'}
        </button>
      </div>
    </Notice>
  );
}

/** Opens those of `names` that the browser can open again; nothing where it can open none. */
export function ReopenNamed({ names }: { readonly names: readonly string[] }) {
  const controller = useController();
  const kept = useStudio((state) => state.kept);
  const opening = useStudio((state) => state.checkpoints.opening > 0);
  const found = names.flatMap((name) => kept.find(({ checkpoints }) => checkpoints.some((one) => one.name === name)) ?? []);
  const roots = [...new Set(found)];
  if (roots.length === 0) return null;
  return (
    <button type="button" className="button small" disabled={opening} onClick={() => void controller.reopenKept(keysOf(roots))}>
      Reopen {namesOf(roots)}
    </button>
  );
}

/** What the latest page had open, and the rest. */
function bySession(kept: readonly KeptRoot[]): { last: readonly KeptRoot[]; earlier: readonly KeptRoot[] } {
  const latest = Math.max(...kept.map(({ session }) => session));
  return { last: kept.filter(({ session }) => session === latest), earlier: kept.filter(({ session }) => session !== latest) };
}

const keysOf = (roots: readonly KeptRoot[]) => roots.map(({ key }) => key);

/** In the order of opening: `base, sft and ct-x`, `base and 4 more`. */
export function namesOf(roots: readonly Pick<KeptRoot, 'key' | 'checkpoints'>[]): string {
  const names = [...roots].sort((a, b) => a.key - b.key).flatMap(({ checkpoints }) => checkpoints.map(({ name }) => showName(name, 40)));
  if (names.length > 4) return `${names[0]!} and ${names.length - 1} more`;
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)!}`;
}
