/**
 * Lets one loop sleep until something concerns it. Whoever looks for work and then sleeps, without an await in
 * between, misses nothing.
 */
export class Waker {
  private wakeUp: (() => void) | null = null;
  private timer: NodeJS.Timeout | null = null;

  wake(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    const wakeUp = this.wakeUp;
    this.wakeUp = null;
    wakeUp?.();
  }

  /** Until `wake` is called, or for `ms` at most where that is given. */
  sleep(ms?: number): Promise<void> {
    return new Promise((resolve) => {
      this.wakeUp = resolve;
      if (ms !== undefined) this.timer = setTimeout(() => this.wake(), ms);
    });
  }
}
