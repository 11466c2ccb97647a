/** A process from its start to its death. What it called before may still happen after it. */
export class Life {
  isDead = false;
  /** Stopped as by SIGSTOP: it notices nothing, and goes on where it was once it is woken. */
  isPaused = false;

  constructor(readonly name: string) {}
}

/** Thrown into code of a process that dies within a synchronous call. */
export class KilledError extends Error {
  override readonly name = 'KilledError';
}

/** An answer that never came, whatever happened to the question. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
}

/** Something that must never happen has happened. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}
