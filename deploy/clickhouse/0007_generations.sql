-- Generations of figures that a rebuild has made. Of one that is not shown (yet), readers see nothing.
-- A log's first generation has no entry.
CREATE TABLE IF NOT EXISTS gravity.generations ${ON_CLUSTER}
(
    generation   UInt32,
    epoch        UInt32,
    log_id       String,
    fold_version UInt32,
    state        Enum8('building' = 1, 'shown' = 2, 'discarded' = 3),
    began_at     DateTime64(3, 'UTC'),
    -- When it came to this state; the newest entry of a generation is the one that holds.
    changed_at   DateTime64(3, 'UTC'),
    build        String
)
ENGINE = ${REPLICATED}ReplacingMergeTree(changed_at)
ORDER BY generation;
