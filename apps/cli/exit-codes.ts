import { ALL_CHANNELS } from '#domain';
import { printableList } from '../simulator/recorded/printable-text.js';

/** Exit codes of `gravity`; a script may rely on them. */
export const EXIT = {
  ok: 0,
  /** It was tried and did not work. */
  failure: 1,
  /** The command line or the configuration is wrong; nothing was tried. */
  usage: 2,
  /** Another process works in the data directory. */
  locked: 3,
  /** Stopped by a signal; what was done is kept. */
  interrupted: 130,
} as const;

/** A failure with a message for a person, without a stack trace. */
export class CliError extends Error {
  override readonly name = 'CliError';
  constructor(
    message: string,
    readonly exitCode: number = EXIT.failure,
  ) {
    super(message);
  }
}

/** @param brands   there are, at least one */
export function noBrand(brand: string, brands: readonly string[]): string {
  return `there is no brand "${brand}"; there ${brands.length === 1 ? 'is' : 'are'}: ${printableList(brands)}`;
}

/** @param channels   there are, without `all` */
export function noChannel(brand: string, channel: string, channels: readonly string[]): CliError {
  return new CliError(
    `${brand} has no channel "${channel}"; there is ${printableList([ALL_CHANNELS, ...channels])}`,
  );
}

export function usageError(message: string): CliError {
  return new CliError(message, EXIT.usage);
}
