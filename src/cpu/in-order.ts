/** Starts `act` on each item in order, at most `ahead` more than were taken, and hands the results to `take` in order. */
export async function inOrder<I, T>(
  items: readonly I[],
  ahead: number,
  start: (item: I, index: number) => Promise<{ readonly result: Promise<T> }>,
  take: (result: T, item: I, index: number) => Promise<void> | void,
): Promise<void> {
  const running: Promise<T>[] = [];
  let taken = 0;
  const takeNext = async () => {
    const index = taken++;
    await take(await running[index]!, items[index]!, index);
  };
  try {
    for (const [index, item] of items.entries()) {
      if (running.length - taken >= ahead) await takeNext();
      const { result } = await start(item, index);
      // A failure is met when its turn comes.
      result.catch(() => {});
      running.push(result);
    }
    while (taken < items.length) await takeNext();
  } finally {
    // Nobody may still be at work on what the caller is about to release.
    await Promise.allSettled(running);
  }
}
