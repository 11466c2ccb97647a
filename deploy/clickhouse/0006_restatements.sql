-- Who restated which closed period when and why, and by how much each figure changed. Never deleted.
-- An entry is written before the first row of it and again after the last: one that is only begun was cut short.
CREATE TABLE IF NOT EXISTS gravity.restatements ${ON_CLUSTER}
(
    id            String,
    -- When it began.
    at            DateTime64(3, 'UTC'),
    state         Enum8('begun' = 1, 'done' = 2),
    by            String,
    reason        String,
    brand         String,
    -- '': all and every channel.
    channel       String,
    window        String,
    -- First and last end that were counted anew.
    from_end      DateTime64(3, 'UTC'),
    to_end        DateTime64(3, 'UTC'),
    ends          UInt64,
    ends_changed  UInt64,
    rows          UInt64,
    -- JSON: by channel and figure how many ends change, the sums over them before and after, the largest difference.
    changes       String,
    -- JSON: partition → log offset up to which everything is counted.
    log_positions String,
    generation    UInt32,
    build         String,
    -- The newer of two entries of one id.
    revision      UInt8
)
ENGINE = ${REPLICATED}ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(at)
ORDER BY (at, id);
