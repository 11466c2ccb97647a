/** Read-only questions to the process that works in a data directory: its API is named in the lock. */
import { messageOf } from '#pipeline';
import type { TierRow } from '../console/tiers/tier-rows.js';
import type { WhatIf } from '../console/whatif/fold-what-if.js';
import { whatIfAnswerSchema } from '../console/whatif/what-if-answer.js';
import { lockedError, type RunningHolder } from './data-directory.js';
import { CliError } from './exit-codes.js';

const TIMEOUT_MS = 120_000;

/** @throws CliError   the process has no API yet, or does not answer */
export async function askRunning(
  directory: string,
  holder: RunningHolder,
  route: 'tiers' | 'figures' | 'breakdowns' | 'tier-flows' | 'whatif' | 'restatements',
  query: Readonly<Record<string, string>>,
): Promise<unknown> {
  if (holder.api === null) throw lockedError(directory, holder);
  const url = new URL(`/api/v1/${route}`, holder.api);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  let response: Response;
  try {
    response = await fetch(url, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: { accept: 'application/json' },
    });
  } catch (error) {
    const reason = messageOf(error);
    throw new CliError(`${url.origin}, the API of process ${holder.pid}, does not answer: ${reason}`);
  }
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) return body;
  throw new CliError(`${url.origin} answers ${response.status}: ${sentMessage(body) ?? response.statusText}`);
}

/** The answer of `/api/v1/tiers`: the rows, or an object that holds them as `persons`. */
export function tierRowsFrom(body: unknown): TierRow[] {
  const rows = Array.isArray(body) ? body : fieldOf(body, 'persons');
  if (!Array.isArray(rows)) throw new CliError('the running process answers something else than persons');
  return rows.map((row: unknown) => ({
    person: String(fieldOf(row, 'person')),
    tier: Number(fieldOf(row, 'tier')),
    purchase_days: Number(fieldOf(row, 'purchase_days')),
    orders: Number(fieldOf(row, 'orders')),
    own_value_minor: Number(fieldOf(row, 'own_value_minor')),
    first_purchase: textOrNull(fieldOf(row, 'first_purchase')),
    last_purchase: textOrNull(fieldOf(row, 'last_purchase')),
  }));
}

/** The answer of `/api/v1/whatif`, by the description that the API gives of it. */
export function whatIfFrom(body: unknown): WhatIf {
  const parsed = whatIfAnswerSchema.safeParse(body);
  if (!parsed.success) throw new CliError('the running process answers something else than a comparison');
  const { as_of, ...answer } = parsed.data;
  return { ...answer, at: as_of === null ? null : Date.parse(as_of) };
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function sentMessage(body: unknown): string | null {
  const message = fieldOf(body, 'message');
  if (Array.isArray(message)) return message.map(String).join('; ');
  return typeof message === 'string' ? message : null;
}
