/** `--at INSTANT`: events before it count. */
import { Option } from 'commander';
import { instantFromText } from '../console/tiers/instant-text.js';
import { usageError } from './exit-codes.js';

export function atOption(): Option {
  return new Option(
    '--at <instant>',
    'as of this instant: ISO with a zone, or local in the day zone; events before it count (default: the last event + 1 ms)',
  );
}

/** @throws CliError (usage) */
export function parseAt(text: string, dayZone: string): number {
  const at = instantFromText(text, dayZone);
  if (at !== null) return at;
  throw usageError(
    `--at ${text}: expected an instant such as 2024-11-12, 2024-11-11T20:00 or 2024-11-11T12:00:00Z`,
  );
}
