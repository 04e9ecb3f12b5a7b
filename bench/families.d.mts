export interface FamilyShape {
  readonly hidden: number;
  readonly intermediate: number;
  readonly layers: number;
  readonly keyRows: number;
  readonly vocabulary: number;
}
export const FAMILIES: Readonly<Record<'160m' | '1.1b' | '7b' | '8b', FamilyShape>>;
export function diskBytesOf(family: keyof typeof FAMILIES): number;
export function tensorsOf(shape: FamilyShape): [name: string, shape: number[]][];
