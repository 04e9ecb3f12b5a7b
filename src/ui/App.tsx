import { useEffect, useState } from 'react';
import './theme.css';
import './controls.css';
import './layout.css';
import { Checkpoints } from './checkpoints/Checkpoints';
import { MergeBar } from './run/MergeBar';
import { RecipePanel } from './recipe/RecipePanel';
import { Banner } from './shell/Banner';
import { Header } from './shell/Header';
import { pressKey } from './shell/keys';
import { Middle } from './shell/Middle';
import { Start } from './shell/Start';
import { useController, useStudio } from './studio';

/** One page, four regions. */
export function App() {
  const empty = useStudio((state) => state.checkpoints.open.length === 0);
  const theme = useStudio((state) => state.view.theme);
  useEffect(() => {
    if (theme === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  }, [theme]);
  useKeys();
  const dragging = useDrops();
  return (
    <div className="studio">
      <Header />
      <Banner />
      {empty ? (
        <Start />
      ) : (
        <>
          <main className="regions">
            <Checkpoints />
            <Middle />
            <RecipePanel />
          </main>
          <MergeBar />
        </>
      )}
      {dragging && <div className="drop-veil">Drop to open</div>}
    </div>
  );
}

const FIELD = 'textarea, select, input:not([type=range], [type=radio], [type=checkbox])';
const TEXT_FIELD = 'textarea, input[type=text]';

function useKeys(): void {
  const controller = useController();
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented) return;
      const isIn = (selector: string) => event.target instanceof Element && event.target.matches(selector);
      const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
      if (pressKey({ key, ctrlKey, metaKey, altKey, shiftKey, inField: isIn(FIELD), ownUndo: isIn(TEXT_FIELD) }, controller)) event.preventDefault();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, [controller]);
}

/** Takes drops anywhere on the window. True while files are dragged over it. */
function useDrops(): boolean {
  const controller = useController();
  const [dragging, setDragging] = useState(false);
  useEffect(() => {
    // Text and links dragged within the page are none of ours.
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
    const onOver = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      event.dataTransfer!.dropEffect = 'copy';
      setDragging(true);
    };
    const onLeave = (event: DragEvent) => {
      if (event.relatedTarget === null) setDragging(false);
    };
    const onDrop = (event: DragEvent) => {
      setDragging(false);
      if (!hasFiles(event)) return;
      event.preventDefault();
      void controller.drop(event.dataTransfer);
    };
    window.addEventListener('dragenter', onOver);
    window.addEventListener('dragover', onOver);
    window.addEventListener('dragleave', onLeave);
    window.addEventListener('drop', onDrop);
    return () => {
      window.removeEventListener('dragenter', onOver);
      window.removeEventListener('dragover', onOver);
      window.removeEventListener('dragleave', onLeave);
      window.removeEventListener('drop', onDrop);
    };
  }, [controller]);
  return dragging;
}
