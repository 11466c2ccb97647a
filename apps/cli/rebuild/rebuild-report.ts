import type { CliIo } from '../cli-io.js';
import { formatCount } from '../progress-line.js';
import { formatRows, type OutputFormat, type Row } from '../table-output.js';
import type { RebuildFindings } from './rebuild-log.js';

const COLUMNS = ['brand', 'channel', 'what', 'figure', 'rows', 'newest', 'shown', 'rebuilt'];

interface TierMove {
  readonly brand: string;
  readonly scheme_id: string;
  readonly from: number;
  readonly to: number;
  persons: number;
}

/** @param restated   facts published by the switch; null where nothing was switched */
export function printRebuild(
  found: RebuildFindings,
  restated: number | null,
  format: OutputFormat,
  io: CliIo,
): void {
  const { generation, shown, records, tiersCompared, tiers, figures } = found;
  const moves = movesOf(found);
  if (format === 'json') {
    const answer = {
      ...{ generation: generation.generation, epoch: generation.epoch, fold_version: generation.foldVersion },
      ...{ compared_with: shown, records, switched: restated !== null, restated },
      tiers: { compared: tiersCompared, differ: tiers.length, moves },
      figures: {
        compared: figures.compared,
        moved_on: figures.movedOn,
        differ: rowsOf(found),
        differences: figures.differences,
      },
      restatements_not_carried_over: found.restatements,
    };
    io.out(`${JSON.stringify(answer, null, 2)}\n`);
    return;
  }
  const rows: Row[] = [
    ...moves.map(({ brand, scheme_id, from, to, persons }) => ({
      ...{ brand, channel: '', what: `persons ${scheme_id}`, figure: `tier ${from} is ${to}` },
      ...{ rows: persons, newest: '', shown: '', rebuilt: '' },
    })),
    ...figures.differences.map((one): Row => ({ ...one })),
  ];
  if (rows.length > 0) for (const piece of formatRows(COLUMNS, rows, format)) io.out(piece);
  io.err(
    `generation ${generation.generation} folded from ${formatCount(records)} records, compared with generation ${shown}: ` +
      `${formatCount(tiers.length)} of ${formatCount(tiersCompared)} tiers and ` +
      `${formatCount(rowsOf(found))} of ${formatCount(figures.compared)} figures differ` +
      (figures.movedOn === 0 ? '\n' : ` (${formatCount(figures.movedOn)} more have moved on since)\n`),
  );
  if (found.restatements > 0) {
    io.err(
      `${found.restatements} restatements of generation ${shown} are not part of the log: repeat them after the switch ` +
        '(`gravity reopen --list` has them)\n',
    );
  }
}

function movesOf({ tiers }: RebuildFindings): readonly TierMove[] {
  const moves = new Map<string, TierMove>();
  for (const { brand, schemeId, published, rebuilt } of tiers) {
    const key = JSON.stringify([brand, schemeId, published, rebuilt]);
    const known = moves.get(key) ?? { brand, scheme_id: schemeId, from: published, to: rebuilt, persons: 0 };
    known.persons += 1;
    moves.set(key, known);
  }
  return [...moves.values()];
}

function rowsOf({ figures }: RebuildFindings): number {
  return figures.differences.reduce((sum, { rows }) => sum + rows, 0);
}
