import type { LoggerService } from '@nestjs/common';
import type { AppLogger, LogFields } from '#runtime';

/** Lets the framework write into the app's own log. Its chatter about routes and modules is debug. */
export class NestLogger implements LoggerService {
  private static readonly CHATTER = new Set([
    'InstanceLoader',
    'RouterExplorer',
    'RoutesResolver',
    'NestFactory',
    'NestMicroservice',
    'NestApplication',
  ]);

  constructor(private readonly logger: AppLogger) {}

  log(message: unknown, ...rest: unknown[]): void {
    const part = partOf(rest);
    if (part !== null && NestLogger.CHATTER.has(part))
      this.logger.debug(textOf(message), fieldsOf(message, rest));
    else this.logger.info(textOf(message), fieldsOf(message, rest));
  }
  error(message: unknown, ...rest: unknown[]): void {
    const part = partOf(rest);
    // Errors of starting are thrown to us as well, and reported where they are caught.
    if (part === 'ExceptionHandler' || part === 'NestApplication')
      this.logger.debug(textOf(message), fieldsOf(message, rest));
    else this.logger.error(textOf(message), fieldsOf(message, rest));
  }
  warn(message: unknown, ...rest: unknown[]): void {
    this.logger.warn(textOf(message), fieldsOf(message, rest));
  }
  debug(message: unknown, ...rest: unknown[]): void {
    this.logger.debug(textOf(message), fieldsOf(message, rest));
  }
  verbose(message: unknown, ...rest: unknown[]): void {
    this.logger.trace(textOf(message), fieldsOf(message, rest));
  }
  fatal(message: unknown, ...rest: unknown[]): void {
    this.logger.fatal(textOf(message), fieldsOf(message, rest));
  }
}

/** Nest gives the part that speaks as the last of the further arguments. */
function partOf(rest: readonly unknown[]): string | null {
  const last = rest.at(-1);
  return typeof last === 'string' ? last : null;
}

function textOf(message: unknown): string {
  if (message instanceof Error) return message.message;
  return typeof message === 'string' ? message : 'details';
}

function fieldsOf(message: unknown, rest: readonly unknown[]): LogFields {
  const part = partOf(rest);
  const details = part === null ? rest : rest.slice(0, -1);
  const stack = details.find((detail) => typeof detail === 'string' && detail.includes('\n    at '));
  const others = details.filter((detail) => detail !== stack && detail !== undefined);
  return {
    ...(part === null ? {} : { context: part }),
    ...(message instanceof Error ? { err: message } : {}),
    ...(message instanceof Error || typeof message === 'string' ? {} : { details: message }),
    ...(stack === undefined ? {} : { stack }),
    ...(others.length === 0 ? {} : { more: others }),
  };
}
