import { describe, expect, it } from '@jest/globals';
import { Metrics } from './metrics.js';

const batch = { topic: 't', partition: 1, records: 100, durationMs: 20, lagRecords: 7, lastRecordAt: 40_000 };

describe('Metrics', () => {
  it('counts what the apps report, each under its name', async () => {
    const metrics = new Metrics(() => 100_000);
    const intake = metrics.service('intake');
    intake.batch({ ...batch, stagesMs: { fold: 5 } });
    intake.batch(batch);
    intake.recordsOut('relationship-log', 190);
    intake.reject('t', 'bad-value', 10);
    intake.transaction('committed');
    intake.sink('persons', 12, 30);
    intake.sinkFailed('persons');
    intake.watermark(1, 88_000);
    intake.outbox(1, 3);
    metrics.service('archive').batch({ ...batch, lagRecords: 0 });
    intake.held(() => [
      { topic: 't', records: 40 },
      { topic: 'u', records: 0 },
    ]);

    const { body, contentType } = await metrics.render();
    expect(contentType).toContain('text/plain');
    expect(body.split('\n')).toEqual(
      expect.arrayContaining([
        'gravity_records_in_total{service="intake",topic="t"} 200',
        'gravity_records_in_total{service="archive",topic="t"} 100',
        'gravity_records_out_total{service="intake",topic="relationship-log"} 190',
        'gravity_rejects_total{service="intake",topic="t",reason="bad-value"} 10',
        'gravity_transactions_total{service="intake",outcome="committed"} 1',
        'gravity_sink_rows_total{service="intake",sink="persons"} 12',
        'gravity_sink_failures_total{service="intake",sink="persons"} 1',
        'gravity_sink_duration_seconds_sum{service="intake",sink="persons"} 0.03',
        'gravity_batch_duration_seconds_count{service="intake",topic="t"} 2',
        'gravity_stage_duration_seconds_count{service="intake",stage="fold"} 1',
        'gravity_lag_records{service="intake",topic="t",partition="1"} 7',
        'gravity_lag_seconds{service="intake",topic="t",partition="1"} 60',
        'gravity_lag_seconds{service="archive",topic="t",partition="1"} 0',
        'gravity_watermark_age_seconds{service="intake",partition="1"} 12',
        'gravity_outbox_entries{service="intake",partition="1"} 3',
        'gravity_held_records{service="intake",topic="t"} 40',
        'gravity_held_records{service="intake",topic="u"} 0',
      ]),
    );
  });

  it('forgets a partition that has left', async () => {
    const metrics = new Metrics();
    const intake = metrics.service('intake');
    intake.batch(batch);
    intake.watermark(1, 1);
    intake.outbox(1, 3);
    intake.forget('t', 1);
    expect((await metrics.render()).body).not.toContain('partition="1"');
  });

  it('tells the age of the newest snapshot of each partition, which grows while none is taken', async () => {
    let now = 100_000;
    const metrics = new Metrics(() => now);
    const relationship = metrics.service('relationship');
    relationship.snapshot(0, 40_000, 5_000);
    relationship.snapshot(1, 40_000, 5_000);
    relationship.snapshot(1, 90_000, 7_000, 1_500);
    relationship.snapshotFailed(1);
    now = 110_000;
    const lines = (await metrics.render()).body.split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'gravity_snapshot_age_seconds{service="relationship",partition="0"} 70',
        'gravity_snapshot_age_seconds{service="relationship",partition="1"} 20',
        'gravity_snapshot_bytes{service="relationship",partition="1"} 7000',
        'gravity_snapshot_duration_seconds{service="relationship",partition="1"} 1.5',
        'gravity_snapshot_failures_total{service="relationship",partition="1"} 1',
      ]),
    );
    relationship.forget('relationship-log', 1);
    const left = (await metrics.render()).body;
    expect(left).toContain('gravity_snapshot_age_seconds{service="relationship",partition="0"}');
    expect(left).not.toMatch(
      /gravity_snapshot_(age|bytes|duration)\w*\{service="relationship",partition="1"/,
    );
  });

  it('names, helps and units are in order', async () => {
    for (const metric of await new Metrics().registry.getMetricsAsJSON()) {
      expect(metric.name).toMatch(/^gravity_[a-z_]+_(total|seconds|bytes|records|entries|figures)$/);
      expect(metric.help.length).toBeGreaterThan(10);
    }
  });
});
