/** Lets at most one message through per interval and forgets none: what comes between is joined. */
export class Throttle<T> {
  private held: T | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private last = -Infinity;

  /** `join` makes one message of the one that waits and the next. */
  constructor(
    private readonly milliseconds: number,
    private readonly send: (message: T) => void,
    private readonly join: (waiting: T, next: T) => T,
  ) {}

  offer(message: T): void {
    this.held = this.held === null ? message : this.join(this.held, message);
    const wait = this.last + this.milliseconds - performance.now();
    // Asked here as well as by the timer: a backend that computes on this thread keeps timers from running.
    if (wait <= 0) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), wait);
  }

  /** Sends what waits, now. */
  flush(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    if (this.held === null) return;
    const message = this.held;
    this.held = null;
    this.last = performance.now();
    this.send(message);
  }
}
