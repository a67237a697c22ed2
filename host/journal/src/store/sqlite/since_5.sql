-- What came with format 5: both directions. All of it is worked out of the receipts but the
-- cursors, and none of it is evidence.

-- What we last wrote of each field of an entity into a system, in the contract's words. The
-- entity is named as the system does in which it was born.
CREATE TABLE told (
    entity TEXT NOT NULL,                   -- the entity's key
    system TEXT NOT NULL,
    field  TEXT NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    PRIMARY KEY (entity, system, field)
) STRICT, WITHOUT ROWID;

-- From a system's own id back to what its record was made from.
CREATE INDEX links_back ON links (target, target_id) WHERE target_id IS NOT NULL;

-- How far systems were read that are polled.
CREATE TABLE cursors (name TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT, WITHOUT ROWID;
