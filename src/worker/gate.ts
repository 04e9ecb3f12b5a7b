/** Who goes first: what waits at a gate goes on when nothing is under way behind it. */
export class Gate {
  private underWay = 0;
  private waiting: (() => void)[] = [];

  get isIdle(): boolean {
    return this.underWay === 0;
  }

  async during<T>(act: () => Promise<T>): Promise<T> {
    this.underWay++;
    try {
      return await act();
    } finally {
      if (--this.underWay === 0) {
        const free = this.waiting;
        this.waiting = [];
        for (const go of free) go();
      }
    }
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.underWay > 0) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }
}
