import type { Log, LogCodec } from '#pipeline';
import { ApiProblem } from '../http/api-problem.js';

const WAITING_MAX = 4;

export interface LogSource {
  readonly log: Log;
  readonly codec: LogCodec;
}

/**
 * Folds the log for whoever asks, beside the work of this process: one question at a time, since each holds all
 * states in memory.
 */
export class LogFolder {
  private tail: Promise<unknown> = Promise.resolve();
  private waiting = 0;

  constructor(
    private readonly source: { readonly log: Log; readonly codec: () => LogCodec },
    private readonly stopping: AbortSignal,
  ) {}

  /**
   * @param fold   to call its second parameter now and then: it throws once the answer is of no use any more
   * @param gone   the asker has left: nobody needs the answer any more
   * @throws ApiProblem 503 when too many ask at once, and what `fold` throws
   */
  async run<Answer>(
    fold: (source: LogSource, goOn: () => void) => Promise<Answer>,
    gone: AbortSignal,
  ): Promise<Answer> {
    if (this.waiting >= WAITING_MAX) {
      throw new ApiProblem(503, `${this.waiting} such questions are being answered; ask again later`);
    }
    this.waiting++;
    const signal = AbortSignal.any([gone, this.stopping]);
    const answer = this.tail.then(() => {
      signal.throwIfAborted();
      return fold({ log: this.source.log, codec: this.source.codec() }, () => signal.throwIfAborted());
    });
    this.tail = answer.catch(() => undefined);
    try {
      return await answer;
    } catch (error) {
      // Nobody hears this, and it is no failure of ours.
      if (signal.aborted) throw new ApiProblem(503, 'nobody waits for the answer any more');
      throw error;
    } finally {
      this.waiting--;
    }
  }

  /** Resolves when nothing is being folded any more. */
  async idle(): Promise<void> {
    await this.tail;
  }
}
