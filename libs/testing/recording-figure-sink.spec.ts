import type { FigureRow } from '#pipeline';
import { figureSinkContract } from './figure-sink-contract.js';
import { RecordingFigureSink } from './recording-figure-sink.js';

function seen(row: FigureRow): readonly unknown[] {
  const { version } = row;
  switch (row.table) {
    case 'window_figures':
      return [
        row.brand,
        row.channel,
        row.window,
        row.end,
        row.generation,
        row.partition,
        row.visitors,
        version,
      ];
    case 'period_figures': {
      const { brand, channel, scheme_id, period_id, day, generation, partition, capital } = row;
      return [brand, channel, scheme_id, period_id, day, generation, partition, capital, version];
    }
    case 'persons':
      return [row.brand, row.scheme_id, row.person, row.generation, row.partition, row.gone, version];
    case 'window_heartbeats':
      return [row.window, row.generation, row.partition, row.end, version];
    case 'late_events': {
      const { brand, window, event_id, person, generation, partition, missed_to } = row;
      return [brand, window, event_id, person, generation, partition, missed_to, version];
    }
  }
}

figureSinkContract('the recording sink', () => {
  const sink = new RecordingFigureSink();
  return Promise.resolve({
    sink,
    seen: (table) => Promise.resolve(sink.rows(table).map(seen)),
    close: () => Promise.resolve(),
  });
});
