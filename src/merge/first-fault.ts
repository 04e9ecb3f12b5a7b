/** The first fault of work that goes on in several places: told at once to whoever waits for something else, a pause for one. */
export class FirstFault {
  private told: { readonly reason: unknown } | null = null;
  private readonly waiting = new Set<(reason: unknown) => void>();

  tell(reason: unknown): void {
    if (this.told) return;
    this.told = { reason };
    for (const reject of this.waiting) reject(reason);
    this.waiting.clear();
  }

  /** What `act` resolves to; rejects as it does, or with the fault as soon as there is one. */
  during<T>(act: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.told) return reject(this.told.reason);
      this.waiting.add(reject);
      act().then(resolve, reject).finally(() => this.waiting.delete(reject));
    });
  }
}
