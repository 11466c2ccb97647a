-- Absolute, versioned rows: the highest version of a key wins, so writing a row again is harmless.
-- Counts are of the persons of one partition of the log: they add up over partitions, never over channels.
-- By month: a replay of years writes into few parts, and what is read of a day is found by the order.
CREATE TABLE IF NOT EXISTS gravity.window_figures ${ON_CLUSTER}
(
    brand            String,
    channel          String,
    window           String,
    end              DateTime64(3, 'UTC'),
    generation       UInt32,
    partition        UInt16,
    version          UInt64,
    status           Enum8('provisional' = 1, 'closed' = 2, 'restated' = 3, 'incomplete' = 4),
    watermark        DateTime64(3, 'UTC'),
    visitors         Int64,
    active           Int64,
    active_related   Int64,
    visitors_related Int64,
    capital          Int64,
    orders           Int64,
    gmv_gross_minor  Int64,
    refunds_minor    Int64
)
ENGINE = ${REPLICATED}ReplacingMergeTree(version)
PARTITION BY toYYYYMM(end)
ORDER BY (brand, channel, window, end, generation, partition);

-- Up to `end` a partition has closed every end of the window: a row that is absent is a row of zeros.
CREATE TABLE IF NOT EXISTS gravity.window_heartbeats ${ON_CLUSTER}
(
    window     String,
    generation UInt32,
    partition  UInt16,
    end        DateTime64(3, 'UTC'),
    version    UInt64
)
ENGINE = ${REPLICATED}ReplacingMergeTree(version)
ORDER BY (window, generation, partition);

CREATE TABLE IF NOT EXISTS gravity.period_figures ${ON_CLUSTER}
(
    brand           String,
    channel         String,
    scheme_id       String,
    period_id       String,
    day             Date32,
    generation      UInt32,
    partition       UInt16,
    version         UInt64,
    status          Enum8('provisional' = 1, 'closed' = 2, 'restated' = 3, 'incomplete' = 4),
    watermark       DateTime64(3, 'UTC'),
    capital         Int64,
    capital_base    Int64,
    new_relations   Int64,
    lost_relations  Int64,
    orders          Int64,
    gmv_gross_minor Int64,
    refunds_minor   Int64,
    deepened        Int64,
    deepened_cohort Int64,
    tiers           Array(Int64)
)
ENGINE = ${REPLICATED}ReplacingMergeTree(version)
PARTITION BY toYYYYMM(day)
ORDER BY (brand, channel, scheme_id, period_id, day, generation, partition);

CREATE TABLE IF NOT EXISTS gravity.persons ${ON_CLUSTER}
(
    brand           String,
    scheme_id       String,
    person          String,
    generation      UInt32,
    partition       UInt16,
    version         UInt64,
    period_id       String,
    tier            UInt8,
    purchase_days   UInt32,
    orders          UInt32,
    own_value_minor Int64,
    first_purchase  Nullable(DateTime64(3, 'UTC')),
    last_purchase   Nullable(DateTime64(3, 'UTC')),
    is_member       Bool,
    gone            Bool
)
ENGINE = ${REPLICATED}ReplacingMergeTree(version)
ORDER BY (brand, scheme_id, person, generation, partition);
