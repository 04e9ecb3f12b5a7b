import { useEffect } from 'react';
import type { Question, Viewed, ViewName } from '../../state/types';
import { useController, useStudio } from '../studio';

/** A view of the held sample, asked for while the component is shown; null asks for nothing. */
export function useView<N extends ViewName>(name: N, question: Question<N> | null): Viewed<N> {
  const controller = useController();
  // By content: a question made anew at every render is still the same one.
  const text = question === null ? null : JSON.stringify(question);
  useEffect(() => {
    if (text === null) return;
    controller.look(name, JSON.parse(text) as Question<N>);
    return () => controller.lookAway(name);
  }, [controller, name, text]);
  return useStudio((state) => state.views[name]);
}
