/**
 * Tells a first signal from a second one that means "now". One Ctrl-C reaches a process started by npm twice
 * within moments, once from the terminal and once passed on by npm, so repeats within `echoMs` do not count. On a busy
 * machine npm takes its time.
 */
export class SignalGate {
  private firstAt: number | null = null;

  constructor(
    private readonly now: () => number = () => performance.now(),
    private readonly echoMs = 2_000,
  ) {}

  next(): 'first' | 'echo' | 'again' {
    if (this.firstAt === null) {
      this.firstAt = this.now();
      return 'first';
    }
    return this.now() - this.firstAt < this.echoMs ? 'echo' : 'again';
  }
}
