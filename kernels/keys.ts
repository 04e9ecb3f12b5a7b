/** Keys are the bits of |value|: 31 bits, in the order of the magnitudes. */
export const MAGNITUDE: i32 = 0x7fffffff;
export const NAN_KEY: i32 = 0x7fffffff;
export const INFINITY_KEY: i32 = 0x7f800000;

/** Sum of the four lanes. */
export function total(lanes: v128): i32 {
  return i32x4.extract_lane(lanes, 0) + i32x4.extract_lane(lanes, 1) + i32x4.extract_lane(lanes, 2) + i32x4.extract_lane(lanes, 3);
}
