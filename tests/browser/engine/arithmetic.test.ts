/** Rule: merging.md section 8 - f32 arithmetic is exact by one library or the other, or the adapter is refused. */
import { describe, expect, it } from 'vitest';
import { chooseArithmetic, probeArithmetic } from '../../../src/engine/arithmetic';
import { device, failOnUncaptured } from '../../conformance/adapter';

failOnUncaptured();

describe('arithmetic on this adapter', () => {
  it('integer arithmetic equals IEEE f32 on every pair of awkward operands', async () => {
    const finding = await probeArithmetic(device, 'integer');
    expect(finding.wrong).toEqual([]);
    // 40 awkward, 24 ordinary and 16 extreme operands, six operations.
    expect(finding.tried).toBe(6 * 80 * 80);
  });

  it('quotients corrected by their remainders equal IEEE f32 where division is not trusted', async () => {
    const finding = await probeArithmetic(device, 'float', false);
    expect(finding.wrong).toEqual([]);
    expect(finding.tried).toBeGreaterThan(10_000);
  });

  it('chooses the float units exactly where the probe finds nothing wrong with them', async () => {
    const [float, guarded] = [await probeArithmetic(device, 'float', true), await probeArithmetic(device, 'guarded', true)];
    const chosen = await chooseArithmetic(device);
    expect(chosen.arithmetic === 'guarded' && chosen.exactDivision).toBe(float.wrong.length + guarded.wrong.length === 0);
  });
});
