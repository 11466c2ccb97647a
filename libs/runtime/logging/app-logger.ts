import { type DestinationStream, destination, pino, stdTimeFunctions, type Logger as PinoLogger } from 'pino';
import type { LogLevel } from '../config/config-fragments.js';
import { prettyStream } from './pretty-stream.js';
import { redactFields, redactText } from './redact.js';

export type LogFields = Readonly<Record<string, unknown>>;

export interface LoggerOptions {
  /** The app; becomes `service` in each line. */
  readonly service: string;
  readonly level: LogLevel;
  /** Where lines go; stdout unless given. A command line whose stdout is its result takes stderr. */
  readonly stream?: DestinationStream | 'stdout' | 'stderr';
  /** Lines for a person instead of JSON; by default when they go to a terminal. */
  readonly pretty?: boolean;
}

/**
 * The structured log of an app: one JSON object a line. Secrets and persons' ids given as fields are left out
 * (see `redact.ts`); never put either into the message. An error goes into the field `err`.
 */
export class AppLogger {
  private readonly repeats = new Map<string, { lastAt: number; suppressed: number }>();

  private constructor(
    private readonly pinoLogger: PinoLogger,
    private readonly now: () => number,
  ) {}

  static create(options: LoggerOptions, now: () => number = Date.now): AppLogger {
    const { stream = 'stdout' } = options;
    const out = typeof stream === 'string' ? processStream(stream) : stream;
    const isPretty = options.pretty ?? (typeof stream === 'string' && process[stream].isTTY === true);
    const logger = pino(
      {
        level: options.level,
        base: { service: options.service },
        timestamp: stdTimeFunctions.isoTime,
        formatters: { log: redactFields },
        // Already made plain by redactFields.
        serializers: { err: (error: unknown) => error },
      },
      isPretty ? prettyStream(out) : out,
    );
    return new AppLogger(logger, now);
  }

  /** A logger whose lines also say which part of the app speaks. */
  child(part: string, fields: LogFields = {}): AppLogger {
    return new AppLogger(this.pinoLogger.child({ part, ...redactFields(fields) }), this.now);
  }

  isEnabled(level: LogLevel): boolean {
    return this.pinoLogger.isLevelEnabled(level);
  }

  trace(message: string, fields: LogFields = {}): void {
    this.pinoLogger.trace(fields, redactText(message));
  }
  debug(message: string, fields: LogFields = {}): void {
    this.pinoLogger.debug(fields, redactText(message));
  }
  info(message: string, fields: LogFields = {}): void {
    this.pinoLogger.info(fields, redactText(message));
  }
  warn(message: string, fields: LogFields = {}): void {
    this.pinoLogger.warn(fields, redactText(message));
  }
  error(message: string, fields: LogFields = {}): void {
    this.pinoLogger.error(fields, redactText(message));
  }
  fatal(message: string, fields: LogFields = {}): void {
    this.pinoLogger.fatal(fields, redactText(message));
  }

  /**
   * A warning that may come up thousands of times: at most one line per `everyMs` and message; the next line says
   * how many were left out. The message must not hold values (put them into fields).
   */
  warnRepeated(message: string, fields: LogFields = {}, everyMs = 60_000): void {
    const now = this.now();
    const repeat = this.repeats.get(message);
    if (repeat !== undefined && now - repeat.lastAt < everyMs) {
      repeat.suppressed++;
      return;
    }
    this.repeats.set(message, { lastAt: now, suppressed: 0 });
    const suppressed = repeat?.suppressed ?? 0;
    this.warn(message, suppressed === 0 ? fields : { ...fields, suppressed });
  }
}

/** Synchronous, so that the last lines before an exit are not lost; our lines are few. */
function processStream(name: 'stdout' | 'stderr'): DestinationStream {
  return destination({ fd: name === 'stdout' ? 1 : 2, sync: true });
}
