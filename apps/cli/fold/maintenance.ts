import { messageOf } from '#pipeline';

const MAINTENANCE_MS = 250;

/** What time alone asks of a worker, a few times a second and never two at a time. */
export class Maintenance {
  private running: Promise<void> = Promise.resolve();
  private isIdle = true;
  private readonly timer: NodeJS.Timeout;

  constructor(work: () => Promise<void>, warn: (text: string) => void) {
    this.timer = setInterval(() => {
      if (!this.isIdle) return;
      this.isIdle = false;
      this.running = work()
        .catch((error: unknown) => warn(messageOf(error)))
        .finally(() => {
          this.isIdle = true;
        });
    }, MAINTENANCE_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }
}
