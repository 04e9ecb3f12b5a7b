/** Several at the same time, a few of many. */

/**
 * `act` on each item, at most `most` at the same time; the results in the items' order. Rejects with the first failure, once
 * nothing is under way any more: nobody is then at work on what the caller clears away.
 */
export async function sideBySide<I, T>(items: readonly I[], most: number, act: (item: I) => Promise<T>): Promise<T[]> {
  const results = new Array<T>(items.length);
  const failures: unknown[] = [];
  let next = 0;
  const takeTurns = async () => {
    while (next < items.length && failures.length === 0) {
      const index = next++;
      try {
        results[index] = await act(items[index]!);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: most }, takeTurns));
  if (failures.length > 0) throw failures[0];
  return results;
}
