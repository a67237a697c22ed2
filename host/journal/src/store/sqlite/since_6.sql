-- What came with format 6. None of it is evidence.

-- What systems last said of fields that they do not own. The entity is named as the system
-- does in which it was born.
CREATE TABLE heard (
    entity  TEXT NOT NULL,                   -- the entity's key
    system  TEXT NOT NULL,
    field   TEXT NOT NULL,
    digest  BLOB NOT NULL CHECK (length(digest) = 32),
    message TEXT NOT NULL,                   -- who said so first
    PRIMARY KEY (entity, system, field)
) STRICT, WITHOUT ROWID;

-- The last comparison of both sides of each flow, region and month, as JSON.
CREATE TABLE reports (
    flow   TEXT NOT NULL,
    region TEXT NOT NULL,
    period TEXT NOT NULL,
    at     TEXT NOT NULL,
    text   TEXT NOT NULL,
    PRIMARY KEY (flow, region, period)
) STRICT, WITHOUT ROWID;
