-- What came with format 4: what shadows answered. No evidence, and not in the chain.

CREATE TABLE tallies (
    plugin        TEXT NOT NULL,
    live          BLOB NOT NULL CHECK (length(live) = 32),
    shadow        BLOB NOT NULL CHECK (length(shadow) = 32),
    stage         TEXT NOT NULL,
    compared      INTEGER NOT NULL DEFAULT 0,
    differ        INTEGER NOT NULL DEFAULT 0,
    money         INTEGER NOT NULL DEFAULT 0,
    live_errors   INTEGER NOT NULL DEFAULT 0,
    shadow_errors INTEGER NOT NULL DEFAULT 0,
    skipped       INTEGER NOT NULL DEFAULT 0,
    live_fuel     INTEGER NOT NULL DEFAULT 0,
    shadow_fuel   INTEGER NOT NULL DEFAULT 0,
    live_us       INTEGER NOT NULL DEFAULT 0,
    shadow_us     INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (plugin, shadow, live, stage)
) STRICT, WITHOUT ROWID;

-- In how many messages a place differs.
CREATE TABLE tallied_paths (
    plugin   TEXT NOT NULL,
    shadow   BLOB NOT NULL CHECK (length(shadow) = 32),
    stage    TEXT NOT NULL,
    path     TEXT NOT NULL,
    money    INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    PRIMARY KEY (plugin, shadow, stage, path)
) STRICT, WITHOUT ROWID;

-- Calls that differ, each as JSON.
CREATE TABLE differing (
    number  INTEGER PRIMARY KEY,
    plugin  TEXT NOT NULL,
    shadow  BLOB NOT NULL CHECK (length(shadow) = 32),
    live    BLOB NOT NULL CHECK (length(live) = 32),
    stage   TEXT NOT NULL,
    message TEXT NOT NULL,
    money   INTEGER NOT NULL,
    text    TEXT NOT NULL,
    UNIQUE (plugin, shadow, live, stage, message)
) STRICT;
