-- Of the Capital, persons with a link in whose channel they have not declined messages.
ALTER TABLE gravity.window_figures ${ON_CLUSTER}
    ADD COLUMN IF NOT EXISTS capital_reachable Int64 AFTER capital;
