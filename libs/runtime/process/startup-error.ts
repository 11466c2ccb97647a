/** The exit codes of our apps (after sysexits.h where it has one). */
export const EXIT = { ok: 0, failure: 1, usage: 64, config: 78 } as const;

/** A reason not to start that the user can do something about; printed without a stack. */
export class StartupError extends Error {
  override readonly name = 'StartupError';

  constructor(
    message: string,
    readonly exitCode: number = 1,
  ) {
    super(message);
  }
}
