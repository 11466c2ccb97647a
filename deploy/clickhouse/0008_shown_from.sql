-- A generation that a repartition has made is shown once the rows of its partitions have reached these versions, by
-- partition: it is folded to the end of the log that was copied. Empty: at once.
ALTER TABLE gravity.generations ${ON_CLUSTER}
    ADD COLUMN IF NOT EXISTS shown_from Array(UInt64);
