-- Every accepted touchpoint: the archive, the table for ad-hoc questions and the oracle of the live figures.
--
-- One event id can be here more than once, with other times or contents: the record with the smallest
-- (at, content_hash) is the event; of money, by order, line, kind and refund. Both within one person.
-- `identity` finds such records without reading the ids.
--
-- Absent text is ''. Plain String and not LowCardinality: parsing is what an insert mostly costs, and a
-- dictionary more than doubles it; on disk the sort order makes up for it.
CREATE TABLE IF NOT EXISTS gravity.touchpoints ${ON_CLUSTER}
(
    event_id        String,
    person          String,
    at              DateTime64(3, 'UTC'),
    arrived_at      DateTime64(3, 'UTC'),
    content_hash    UInt64,
    version         UInt64,
    brand           String,
    channel         String,
    type            Enum8('link' = 1, 'visit' = 2, 'engagement' = 3, 'orderPaid' = 4, 'orderRefunded' = 5,
                          'presaleDeposit' = 6, 'review' = 7, 'shared' = 8, 'shareClicked' = 9,
                          -- Recorded for rules to come: no visit, activity, link or money.
                          'note' = 10),
    partition       UInt16,
    origin          Enum8('LIVE' = 1, 'REPLAY' = 2, 'BACKFILL' = 3),
    -- Link kind, surface, action or kind of note.
    kind            String,
    is_on           Bool,
    entry_source    String,
    campaign        String,
    item_id         String,
    dwell_ms        Nullable(UInt64),
    public_domain   Bool,
    paid            Bool,
    room_id         String,
    share_id        String,
    order_id        String,
    line_id         String,
    amount_minor    Int64,
    quantity        Nullable(Float64),
    refund_id       String,
    is_full         Bool,
    presale_balance Bool,
    clock_shift_ms  Int64,
    guest           Bool,
    group_id        String,
    group_kind      String,
    inviter         String,
    stars           Nullable(Float64),
    positive        Nullable(Bool),
    deleted         Bool,
    content         String,
    sharer          String,
    -- '' (a customer), STAFF or BOT.
    actor           String,
    mechanism       String,
    guide           String,
    content_id      String,
    coupon_id       String,
    review_id       String,
    parent_share_id String,
    content_kind    String,
    fission_form    String,
    -- Of notes: what the person is, or which manager; and the person who is it.
    role            String,
    assignee        String,
    log_offset      UInt64 ALIAS bitAnd(version, 281474976710655),
    identity        UInt64 MATERIALIZED cityHash64(person, event_id)
)
ENGINE = ${REPLICATED}ReplacingMergeTree(version)
PARTITION BY toYYYYMM(at)
ORDER BY (brand, channel, at, event_id, person, content_hash);

-- A fact of ours; repeating it changes nothing, since its whole key orders the table.
CREATE TABLE IF NOT EXISTS gravity.tier_changes ${ON_CLUSTER}
(
    brand           String,
    person          String,
    scheme_id       String,
    period_id       String,
    from_tier       UInt8,
    to_tier         UInt8,
    direction       Enum8('UP' = 1, 'DOWN' = 2),
    cause           Enum8('EVENT' = 1, 'TIME' = 2, 'REFUND' = 3, 'UNLINK' = 4, 'MERGE' = 5, 'RESTATE' = 6, 'ERASURE' = 7),
    cause_event_id  String,
    effective_at    DateTime64(3, 'UTC'),
    detected_at     DateTime64(3, 'UTC'),
    version         UInt64,
    purchase_days   Array(String),
    ever_purchased  Bool,
    last_share_at   Nullable(DateTime64(3, 'UTC'))
)
ENGINE = ${REPLICATED}ReplacingMergeTree
PARTITION BY toYYYYMM(detected_at)
ORDER BY (brand, detected_at, version, person, scheme_id, period_id);

-- Events that missed ends of a window which were final already.
CREATE TABLE IF NOT EXISTS gravity.late_events ${ON_CLUSTER}
(
    brand       String,
    channel     String,
    window      String,
    event_id    String,
    person      String,
    at          DateTime64(3, 'UTC'),
    arrived_at  DateTime64(3, 'UTC'),
    -- The ends it missed: [missed_from, missed_to), as instants.
    missed_from DateTime64(3, 'UTC'),
    missed_to   DateTime64(3, 'UTC'),
    partition   UInt16,
    generation  UInt32,
    version     UInt64
)
ENGINE = ${REPLICATED}ReplacingMergeTree(version)
PARTITION BY toYYYYMM(at)
ORDER BY (brand, window, at, event_id, person, generation);

-- Records that are no events, with the position they came from and their bytes.
CREATE TABLE IF NOT EXISTS gravity.dead_letters ${ON_CLUSTER}
(
    reason       String,
    topic        String,
    partition    UInt32,
    offset       UInt64,
    arrived_at   DateTime64(3, 'UTC'),
    detail       String,
    key_base64   String,
    bytes_base64 String,
    truncated    Bool,
    sha256       String,
    size         UInt64
)
ENGINE = ${REPLICATED}ReplacingMergeTree
PARTITION BY toYYYYMM(arrived_at)
ORDER BY (arrived_at, topic, partition, offset);
