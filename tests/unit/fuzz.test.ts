/**
 * Every reader of hostile bytes against damaged files (faults.md, section A). `npm test` gives each a few hundred inputs beside
 * the properties of its own tests; `npm run fuzz` as many as wanted, from another seed each time, with the totals written down.
 */
import { appendFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TARGETS } from '../fuzz/targets';

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 600);
/** Where `npm run fuzz` wants a line of JSON for each reader. */
const REPORT = process.env['FUZZ_REPORT'];

describe.each(TARGETS)('$name', ({ name, inputs, read }) => {
  it('refuses by name or reads within its rules, whatever the bytes', async () => {
    let taken = 0;
    let slowest = 0;
    await fc.assert(
      fc.asyncProperty(inputs, async (bytes) => {
        const before = performance.now();
        if (await read(bytes)) taken++;
        slowest = Math.max(slowest, performance.now() - before);
      }),
      { numRuns: RUNS },
    );
    // Mutation that never gets past the first byte, or never damages anything, tests nothing.
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan(RUNS);
    if (REPORT !== undefined) appendFileSync(REPORT, `${JSON.stringify({ name, inputs: RUNS, taken, slowest })}\n`);
    // Far above what any run needs: an input that hangs a reader fails here, and fast-check prints it with its seed.
  }, 60_000 + RUNS * 20);
});
