/** The digits of a radix selection: 31-bit keys, highest first. More bits a digit would not fit the workgroup's bins. */
export interface Digit {
  /** Lowest bit. */
  readonly shift: number;
  readonly bits: number;
}
export const DIGITS: readonly Digit[] = [
  { shift: 20, bits: 11 },
  { shift: 10, bits: 10 },
  { shift: 0, bits: 10 },
];
