/** How components reach the store and the controller. */
import { createContext, use } from 'react';
import { useStore } from 'zustand';
import type { Controller } from '../state/controller';
import type { StudioStore } from '../state/store';
import type { StudioState } from '../state/types';

export const StudioContext = createContext<{ readonly store: StudioStore; readonly controller: Controller } | null>(null);

function useContextOrThrow() {
  const context = use(StudioContext);
  if (context === null) throw new Error('rendered outside StudioContext');
  return context;
}

/** A part of the state; renders again only when that part is another object. */
export function useStudio<T>(select: (state: StudioState) => T): T {
  return useStore(useContextOrThrow().store, select);
}

export function useController(): Controller {
  return useContextOrThrow().controller;
}
