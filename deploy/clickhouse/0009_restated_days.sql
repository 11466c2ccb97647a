-- Restatements of days of a scheme; of those of windows all three are ''. from_end and to_end are the days' closes.
ALTER TABLE gravity.restatements ${ON_CLUSTER}
    ADD COLUMN IF NOT EXISTS scheme_id String AFTER window;

ALTER TABLE gravity.restatements ${ON_CLUSTER}
    ADD COLUMN IF NOT EXISTS from_day String AFTER scheme_id;

ALTER TABLE gravity.restatements ${ON_CLUSTER}
    ADD COLUMN IF NOT EXISTS to_day String AFTER from_day;
