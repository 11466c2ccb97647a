-- Persons with an order in the window; of rows written before, unknown: a fold of this version writes them again.
ALTER TABLE gravity.window_figures ${ON_CLUSTER}
    ADD COLUMN IF NOT EXISTS buyers Int64 AFTER orders;
