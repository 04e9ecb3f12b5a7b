/**
 * Rule: issue 4 item 1 - two groups on the device as far as its budget holds both, in the order in which they were given, one where it
 * does not; whatever runs out, nothing waits for ever.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CancelledError } from '../../../src/bytes/errors';
import { type Place, type Stay, TOGETHER, Turns } from '../../../src/engine/turns';

const settle = () => new Promise((resolve) => setImmediate(resolve));

/** `enter`, and the stay once there is one. */
function entering(turns: Turns, place: Place, bytes: number, room = 100, signal?: AbortSignal) {
  const found: { stay: Stay | null; error: unknown } = { stay: null, error: null };
  turns.enter(place, { bytes: () => bytes, room: () => room, signal }).then(
    (stay) => (found.stay = stay),
    (error: unknown) => (found.error = error),
  );
  return found;
}

describe('turns on the device', () => {
  it('has two groups of which both have room, and lets the third in when the first has left', async () => {
    const turns = new Turns();
    const asked = [40, 60, 1].map((bytes) => entering(turns, turns.take(), bytes));
    await settle();
    expect(asked.map(({ stay }) => stay?.hadCompany())).toEqual([true, true, undefined]);
    asked[0]!.stay!.leave(true);
    await settle();
    expect(asked[2]!.stay!.hadCompany()).toBe(true);
  });

  it('has one where both have none, and a group that is larger than the budget by itself', async () => {
    const turns = new Turns();
    const asked = [40, 61, 500].map((bytes) => entering(turns, turns.take(), bytes));
    await settle();
    expect(asked.map(({ stay }) => stay !== null)).toEqual([true, false, false]);
    asked[0]!.stay!.leave(true);
    await settle();
    expect(asked.map(({ stay }) => stay?.hadCompany())).toEqual([false, false, undefined]);
    asked[1]!.stay!.leave(true);
    await settle();
    expect(asked[2]!.stay!.hadCompany()).toBe(false);
  });

  it('lets nobody in before those that were given earlier, however they ask', async () => {
    const turns = new Turns();
    const [first, second] = [turns.take(), turns.take()];
    const later = entering(turns, second, 10);
    await settle();
    expect(later.stay).toBeNull();
    const earlier = entering(turns, first, 10);
    await settle();
    expect([earlier, later].map(({ stay }) => stay !== null)).toEqual([true, true]);
  });

  it('a group that was cancelled or has failed holds up nobody', async () => {
    const turns = new Turns();
    const places = [turns.take(), turns.take(), turns.take()];
    const cancelling = new AbortController();
    const asked = [entering(turns, places[0]!, 90), entering(turns, places[1]!, 90, 100, cancelling.signal), entering(turns, places[2]!, 90)];
    cancelling.abort();
    await settle();
    expect(asked[1]!.error).toBeInstanceOf(CancelledError);
    turns.end(places[1]!);
    asked[0]!.stay!.leave(false);
    turns.end(places[0]!);
    await settle();
    expect(asked[2]!.stay).not.toBeNull();
    expect(entering(turns, turns.take(), 1, 100, AbortSignal.abort()).stay).toBeNull();
  });

  it('where one finds no room the later ones are cleared, the earlier ones are waited for, and from then on there is one', async () => {
    const turns = new Turns();
    const [first, second] = [turns.take(), turns.take()];
    const [a, b] = [entering(turns, first, 10), entering(turns, second, 10)];
    await settle();
    turns.onlyOne(first);
    expect([a.stay!.cleared.aborted, b.stay!.cleared.aborted]).toEqual([false, true]);
    a.stay!.leave(false);
    const again = entering(turns, first, 10);
    await settle();
    expect(again.stay).toBeNull();
    b.stay!.leave(false);
    const after = entering(turns, second, 10);
    await settle();
    expect([again.stay !== null, after.stay]).toEqual([true, null]);
    again.stay!.leave(true);
    await settle();
    expect(after.stay!.hadCompany()).toBe(false);
  });

  it('there are two again when 16 have ended, 32 after the next that finds no room', async () => {
    const turns = new Turns();
    const endOne = async (): Promise<number> => {
      const places = [turns.take(), turns.take()];
      const asked = places.map((place) => entering(turns, place, 10));
      await settle();
      const together = asked.filter(({ stay }) => stay !== null).length;
      asked[0]!.stay!.leave(true);
      for (const place of places) turns.end(place);
      asked[1]!.stay?.leave(false);
      await settle();
      return together;
    };
    for (const quiet of [16, 32, 64]) {
      const full = turns.take();
      entering(turns, full, 10);
      await settle();
      // Twice in a row counts as once: what it has by itself is no company's.
      turns.onlyOne(full);
      turns.onlyOne(full);
      turns.end(full);
      full.present = null;
      for (let i = 0; i < quiet; i++) expect(await endOne()).toBe(1);
      expect(await endOne()).toBe(2);
    }
  });

  it('one that was cleared comes again, however much of it was on the host: nothing goes before it', async () => {
    const turns = new Turns();
    const places = [turns.take(), turns.take(), turns.take()];
    const [a, b, c] = places.map((place) => entering(turns, place, 10));
    await settle();
    turns.onlyOne(places[0]!);
    b!.stay!.leave(true);
    a!.stay!.leave(true);
    await settle();
    expect(c!.stay).toBeNull();
    const again = entering(turns, places[1]!, 10);
    await settle();
    expect([again.stay !== null, c!.stay]).toEqual([true, null]);
    again.stay!.leave(true);
    await settle();
    expect(c!.stay).not.toBeNull();
  });

  it('groups that wait for those before them to be written all end, with room that runs out anywhere', async () => {
    const groups = fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 120 }), chunks: fc.integer({ min: 1, max: 3 }), full: fc.array(fc.boolean(), { maxLength: 2 }), decides: fc.nat(3) }), { minLength: 1, maxLength: 7 });
    await fc.assert(
      fc.asyncProperty(groups, async (all) => {
        const turns = new Turns();
        const present = new Set<number>();
        const ends: Promise<void>[] = [];
        const order: string[] = [];
        const merge = async (g: number): Promise<void> => {
          const { bytes, chunks, full, decides } = all[g]!;
          const place = turns.take();
          const written: Promise<void>[] = [];
          const left = [...full];
          try {
            // What is decided on the host first.
            for (let i = 0; i < decides; i++) await settle();
            for (;;) {
              const stay = await turns.enter(place, { bytes: () => bytes, room: () => 100, signal: undefined });
              present.add(g);
              expect(present.size === 1 || [...present].reduce((sum, one) => sum + all[one]!.bytes, 0) <= 100).toBe(true);
              expect(present.size).toBeLessThanOrEqual(TOGETHER);
              try {
                await settle();
                // As `Room` does: once more by itself where it had company, in smaller pieces where it had none.
                if (left.shift()) {
                  turns.onlyOne(place);
                  continue;
                }
                let cleared = false;
                stay.cleared.addEventListener('abort', () => (cleared = true));
                for (let c = 0; c < chunks && !stay.cleared.aborted; c++) {
                  written[c] ??= (g === 0 ? Promise.resolve() : ends[g - 1]!).then(() => void order.push(`${g}:${c}`));
                  if (c === chunks - 1) {
                    present.delete(g);
                    stay.leave(true);
                  }
                  await Promise.race([written[c], new Promise((resolve) => stay.cleared.addEventListener('abort', resolve))]);
                }
                if (!cleared && !stay.cleared.aborted) return;
              } finally {
                present.delete(g);
                stay.leave(false);
              }
            }
          } finally {
            turns.end(place);
          }
        };
        for (const g of all.keys()) ends.push(merge(g));
        await Promise.all(ends);
        expect(order).toEqual(all.flatMap(({ chunks }, g) => Array.from({ length: chunks }, (_, c) => `${g}:${c}`)));
      }),
      { numRuns: 100 },
    );
  });
});
