-- What came with format 6: what is erased goes, and the chain holds.

-- A message's own salt is digested with its text and those of its events, so that where the
-- texts are erased, and the salt with them, nobody can guess the texts and try. Messages of
-- before have none, nor has what is erased; their digests are of the texts alone.
CREATE TABLE salts (
    arrival INTEGER PRIMARY KEY REFERENCES messages (arrival),
    salt    BLOB NOT NULL CHECK (length(salt) = 32)
) STRICT;

-- Texts may be blanked, and nothing else changed, where an entry behind them says so. That
-- what is left is what the entry speaks of, a check of the chain finds out.
DROP TRIGGER messages_stay;
CREATE TRIGGER messages_stay BEFORE UPDATE ON messages WHEN NOT (
    new.arrival = old.arrival AND new.id = old.id AND new.digest = old.digest
    AND EXISTS (SELECT 1 FROM entries WHERE arrival = old.arrival AND event LIKE '{"what":"erased",%')
) BEGIN SELECT raise(ABORT, 'messages are append-only'); END;

DROP TRIGGER entries_stay;
CREATE TRIGGER entries_stay BEFORE UPDATE ON entries WHEN NOT (
    new.place = old.place AND new.arrival = old.arrival AND new.at = old.at
    AND new.event_digest = old.event_digest AND new.digest = old.digest
    AND old.event NOT LIKE '{"what":"erased",%'
    AND EXISTS (SELECT 1 FROM entries WHERE arrival = old.arrival AND place > old.place
                                        AND event LIKE '{"what":"erased",%')
) BEGIN SELECT raise(ABORT, 'entries are append-only'); END;

CREATE TRIGGER salts_stay BEFORE UPDATE ON salts BEGIN SELECT raise(ABORT, 'salts are append-only'); END;
CREATE TRIGGER salts_last BEFORE DELETE ON salts WHEN NOT EXISTS (
    SELECT 1 FROM entries WHERE arrival = old.arrival AND event LIKE '{"what":"erased",%'
) BEGIN SELECT raise(ABORT, 'salts are append-only'); END;

-- Which entity is which other one since it was merged. Worked out of the entries.
CREATE TABLE merged (
    entity      TEXT PRIMARY KEY,           -- the entity's key
    into_entity TEXT NOT NULL               -- the other's, which was merged into none
) STRICT, WITHOUT ROWID;

CREATE INDEX merged_into ON merged (into_entity);

-- How much was erased: 0 nothing, 1 the payloads, 2 all. `detail` says it too.
ALTER TABLE status ADD COLUMN erased INTEGER NOT NULL DEFAULT 0;
-- What has ended, the oldest first: what is old enough to go is at the front.
CREATE INDEX to_erase ON status (state, erased, updated_at) WHERE open = 0;

-- None of what follows is evidence.

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

-- Orders to replay, and what came of them. The messages that one sends their way again have entries for that.
CREATE TABLE replays (
    number   INTEGER PRIMARY KEY,           -- 1 for the first
    ordered  TEXT NOT NULL,                 -- what was asked for, JSON
    progress TEXT NOT NULL,                 -- how far it has come, JSON
    stopped  TEXT,                          -- who has stopped it
    open     INTEGER NOT NULL               -- 0 once it is over
) STRICT;

CREATE INDEX open_replays ON replays (number) WHERE open = 1;

-- Messages that would come out otherwise.
CREATE TABLE replayed (
    number  INTEGER NOT NULL REFERENCES replays (number),
    arrival INTEGER NOT NULL,
    weight  INTEGER NOT NULL,               -- by how much money, to put the worst first
    text    TEXT NOT NULL,                  -- JSON
    PRIMARY KEY (number, arrival)
) STRICT, WITHOUT ROWID;

CREATE INDEX worst_replayed ON replayed (number, weight);
