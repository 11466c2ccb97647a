import { ClickHouseFigureSink } from '#clickhouse';
import type { FigureRow } from '#pipeline';
import { figureSinkContract, openEmbeddedClickHouse } from '#testing';

const COLUMNS: Record<FigureRow['table'], string> = {
  window_figures:
    'brand, channel, window, toUnixTimestamp64Milli(end) AS ms, generation, partition, visitors, version',
  period_figures: 'brand, channel, scheme_id, period_id, day, generation, partition, capital, version',
  persons: 'brand, scheme_id, person, generation, partition, gone, version',
  late_events:
    'brand, window, event_id, person, generation, partition, toUnixTimestamp64Milli(missed_to) AS ms, version',
  window_heartbeats: 'window, generation, partition, toUnixTimestamp64Milli(end) AS ms, version',
};

figureSinkContract('ClickHouse (chDB)', async () => {
  const engine = await openEmbeddedClickHouse();
  const { clickhouse } = engine;
  return {
    sink: new ClickHouseFigureSink(clickhouse),
    seen: (table) =>
      clickhouse.query({
        sql: `SELECT ${COLUMNS[table]} FROM gravity.${table} FINAL`,
        row: (row): unknown[] => Object.values(row ?? {}),
      }),
    close: () => engine.close(),
  };
});
