import { useEffect, useMemo } from 'react';
import { sumSurfaces, type Surface, type SurfaceFigure } from '../../../analysis/surface';
import type { Metric } from '../../../analysis/share';
import type { WireError } from '../../../bytes/errors';
import { isBusy } from '../../../state/types';
import { useController, useStudio } from '../../studio';
import { isInScope } from '../selection';
import type { ChartsView } from '../types';

interface Wanted {
  /** Models on the axes. */
  readonly x: number;
  readonly y: number;
  /** On both axes. */
  readonly densities: readonly number[];
  readonly view: ChartsView;
  readonly possible: boolean;
}
interface Answered {
  /** Of the tensors in scope; null before the first answer. */
  readonly surface: Surface | null;
  /** What it is of: while another answer is on its way, not yet what is wanted. */
  readonly axes: { readonly x: number; readonly y: number };
  readonly loading: boolean;
  readonly problem: WireError | null;
  /** True while a job runs: the worker is not asked meanwhile. */
  readonly waiting: boolean;
}

/** Asks for the surface while the calling component is shown. */
export function useSurface({ x, y, densities, view, possible }: Wanted): Answered {
  const controller = useController();
  const { answer, loading, problem } = useStudio((state) => state.views.surface);
  const waiting = useStudio((state) => isBusy(state.job));
  useEffect(() => {
    if (!possible) return;
    controller.look('surface', { surface: { x, y, densitiesX: densities, densitiesY: densities } });
    return () => controller.lookAway('surface');
  }, [controller, possible, x, y, densities]);
  const { layer, module, tensor } = view;
  const surface = useMemo(() => {
    if (answer === null) return null;
    const { densitiesX, densitiesY } = answer.question.surface;
    return sumSurfaces(answer.reply.tensors.filter((one) => isInScope({ layer, module, tensor }, one.tensor)), densitiesX, densitiesY);
  }, [answer, layer, module, tensor]);
  const question = answer?.question.surface;
  const [axisX, axisY] = [question?.x ?? x, question?.y ?? y];
  const axes = useMemo(() => ({ x: axisX, y: axisY }), [axisX, axisY]);
  return { surface, axes, loading, problem, waiting };
}

/** The figure of the charts that a figure of the surface is. */
export function metricOf(figure: SurfaceFigure, x: number, y: number): Metric {
  switch (figure) {
    case 'conflict':
      return { kind: 'conflict' };
    case 'discardedX':
      return { kind: 'discarded', model: x };
    case 'discardedY':
      return { kind: 'discarded', model: y };
    case 'wonX':
      return { kind: 'won', model: x };
    case 'wonY':
      return { kind: 'won', model: y };
    case 'nonzeroX':
      return { kind: 'nonzero', model: x };
    case 'nonzeroY':
      return { kind: 'nonzero', model: y };
  }
}
