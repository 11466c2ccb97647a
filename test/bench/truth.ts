/** What a bench compares with the truth of its own generator. */
import type { Figures } from '#domain';

/** @throws Error   a figure that is not right is no measure of speed */
export function assertTruth(what: string, actual: number, truth: number): void {
  if (actual !== truth) throw new Error(`${what}: ${actual}, but the truth is ${truth}`);
}

/** All channels, all brands, of one scheme. */
export function grossMinorOf(figures: Figures): number {
  return figures
    .periodRows()
    .filter((row) => row.channel === 'all' && row.scheme_id === 'rolling:30d')
    .reduce((sum, row) => sum + row.gmv_gross_minor, 0);
}
