-- Runs before anything is recorded, so every statement must bear being run again.
CREATE DATABASE IF NOT EXISTS gravity ${ON_CLUSTER} ENGINE = Atomic;

CREATE TABLE IF NOT EXISTS gravity.schema_migrations ${ON_CLUSTER}
(
    name     String,
    sequence UInt64,
    state    Enum8('started' = 1, 'applied' = 2, 'failed' = 3),
    checksum String,
    detail   String,
    at       DateTime64(3, 'UTC')
)
ENGINE = ${REPLICATED}MergeTree
ORDER BY (name, sequence);
