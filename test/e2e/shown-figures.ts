/** What the page shows, read at one moment, beside what the API answers for the very same log positions. */
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';

export interface ShownFigure {
  /** As it stands in `data-value`. */
  readonly value: string;
  readonly text: string;
}

export interface Shown {
  readonly asOf: string;
  readonly logPositions: string;
  readonly brand: string;
  readonly window: string;
  readonly scheme: string;
  /** Positions of what comes from the scheme’s period. */
  readonly periodPositions: string;
  readonly figures: Readonly<Record<string, ShownFigure>>;
  /** By channel, of the table. */
  readonly channels: Readonly<Record<string, Readonly<Record<string, ShownFigure>>>>;
  readonly tiers: readonly ShownFigure[];
}

interface Answer {
  readonly channel: string;
  readonly stamp: { readonly as_of: string; readonly log_positions: unknown };
  readonly period: { readonly stamp: { readonly log_positions: unknown } } | null;
}

export interface Comparison {
  readonly shown: Shown;
  /** Answers of `/figures`, `all` first. */
  readonly answers: readonly Answer[];
}

/** Resolves once the page shows figures of what has been chosen. */
export async function figuresShown(page: Page): Promise<void> {
  await page.waitForSelector('main[data-as-of]:not([data-waiting])', { timeout: 120_000 });
}

const READ_PAGE = readFileSync(new URL('./read-page.js', import.meta.url), 'utf8');

export function readShown(page: Page): Promise<Shown> {
  return page.evaluate<Shown>(READ_PAGE);
}

const TRIES_MAX = 300;
/** Asking for all of them would take longer than figures stand still. */
const CHANNELS = ['all', 'live', 'shop'];

/**
 * Both move on by themselves, so they are read until they happen to speak of the same positions.
 * @throws Error if they never do
 */
export async function readAtOneVersion(page: Page, api: string): Promise<Comparison> {
  let last: Comparison | null = null;
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const shown = await readShown(page);
    const answers = await Promise.all(
      CHANNELS.map((channel) => {
        const { brand, window, scheme } = shown;
        const query = new URLSearchParams({ brand, window, scheme, channel }).toString();
        return fetch(`${api}/api/v1/figures?${query}`).then((response) => response.json() as Promise<Answer>);
      }),
    );
    last = { shown, answers };
    if (answers.length > 0 && answers.every((answer) => isOfVersion(answer, shown))) return last;
    await page.waitForTimeout(100);
  }
  throw new Error(`page and API never met: ${JSON.stringify(last)}`);
}

function isOfVersion({ stamp, period }: Answer, shown: Shown): boolean {
  const isSame = (positions: unknown, text: string): boolean => JSON.stringify(positions) === text;
  return (
    stamp.as_of === shown.asOf &&
    isSame(stamp.log_positions, shown.logPositions) &&
    (period === null || isSame(period.stamp.log_positions, shown.periodPositions))
  );
}
