-- What the background reconciliation has compared, run by run, and what it found to differ.
CREATE TABLE IF NOT EXISTS gravity.reconciliations ${ON_CLUSTER}
(
    -- When the run began; names the run.
    run_at    DateTime64(3, 'UTC'),
    brand     String,
    -- `window 5m`, `persons rolling:30d`, …
    what      String,
    compared  UInt64,
    -- Differ by what came too late, or are ahead of the watermark.
    set_aside UInt64,
    differ    UInt64
)
ENGINE = ${REPLICATED}ReplacingMergeTree
PARTITION BY toYYYYMM(run_at)
ORDER BY (run_at, brand, what);

CREATE TABLE IF NOT EXISTS gravity.drifts ${ON_CLUSTER}
(
    run_at   DateTime64(3, 'UTC'),
    brand    String,
    what     String,
    -- Which figure of what: `all, 2026-11-11T12:00:00.000Z`, or a person.
    place    String,
    figure   String,
    -- Null: there is none.
    live     Nullable(Int64),
    recount  Nullable(Int64)
)
ENGINE = ${REPLICATED}ReplacingMergeTree
PARTITION BY toYYYYMM(run_at)
ORDER BY (run_at, brand, what, place, figure);
