-- The journal, as format 1 had it; what came later is in since_3.sql. Changing a line
-- here changes the format: see format.rs.
--
-- Two tables are the truth and only ever grow: what was received, and what
-- happened to it. Everything below them is worked out from these two, in the
-- same transaction, so that "what is due?" is one step in an index.

CREATE TABLE messages (
    arrival  INTEGER PRIMARY KEY,           -- 1 for the first message
    id       TEXT NOT NULL UNIQUE,          -- promise "once by key"
    digest   BLOB NOT NULL CHECK (length(digest) = 32),
    text     TEXT NOT NULL                  -- JSON, as it was digested; last, it may be long
) STRICT;

CREATE TABLE entries (
    place        INTEGER PRIMARY KEY,       -- 1, 2, 3 without gaps
    arrival      INTEGER NOT NULL REFERENCES messages (arrival),
    at           TEXT NOT NULL,             -- RFC 3339, as it stands in the chain
    event_digest BLOB NOT NULL CHECK (length(event_digest) = 32),
    digest       BLOB NOT NULL CHECK (length(digest) = 32),
    event        TEXT NOT NULL              -- JSON, as it was digested
) STRICT;

-- The rowid `place` ends every index entry, so this one gives them in order.
CREATE INDEX entries_of_message ON entries (arrival);

-- A guard against slips, our own first: whoever can write the file can drop a
-- trigger, and that is what the chain is for.
CREATE TRIGGER messages_stay  BEFORE UPDATE ON messages BEGIN SELECT raise(ABORT, 'messages are append-only'); END;
CREATE TRIGGER messages_last  BEFORE DELETE ON messages BEGIN SELECT raise(ABORT, 'messages are append-only'); END;
CREATE TRIGGER entries_stay   BEFORE UPDATE ON entries  BEGIN SELECT raise(ABORT, 'entries are append-only');  END;
CREATE TRIGGER entries_last   BEFORE DELETE ON entries  BEGIN SELECT raise(ABORT, 'entries are append-only');  END;

-- Where each message stands.
CREATE TABLE status (
    arrival      INTEGER PRIMARY KEY REFERENCES messages (arrival),
    system       TEXT NOT NULL,
    event        TEXT NOT NULL,
    object       TEXT NOT NULL,
    order_key    TEXT NOT NULL,
    received_at  TEXT NOT NULL,
    updated_at   TEXT NOT NULL,
    flow         TEXT,
    region       TEXT,
    passed       TEXT,
    attempts     INTEGER NOT NULL,
    state        TEXT NOT NULL,             -- the state's name
    detail       TEXT NOT NULL,             -- the whole state, JSON
    due_ns       INTEGER,                   -- when it is due; null in all other states
    waits_for    TEXT,                      -- the entity's key while it waits
    waits_before TEXT,                      -- the stage it stands before while it waits
    open         INTEGER NOT NULL,          -- 0 once it is final
    head         INTEGER NOT NULL,          -- 1 for the oldest open message of its key
    last_place   INTEGER NOT NULL           -- its last entry
) STRICT;

-- Who is next of a key when its head is final.
CREATE INDEX open_of_key ON status (order_key) WHERE open = 1;
-- One head a key, held by the database itself.
CREATE UNIQUE INDEX head_of_key ON status (order_key) WHERE head = 1;
-- The queue: a claim reads its first rows, however long the backlog is and
-- however many messages stand behind a parked one.
CREATE INDEX due_heads ON status (due_ns) WHERE head = 1 AND due_ns IS NOT NULL;
-- Who waits for an entity that has come.
CREATE INDEX waiting_for ON status (waits_for) WHERE waits_for IS NOT NULL;
-- For operators: the newest of a state.
CREATE INDEX of_state ON status (state);

-- How many messages are in each state: asked for every few seconds, and a count
-- would read the whole index.
CREATE TABLE tally (state TEXT PRIMARY KEY, messages INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TRIGGER tally_new AFTER INSERT ON status BEGIN
    INSERT INTO tally (state, messages) VALUES (new.state, 1)
        ON CONFLICT (state) DO UPDATE SET messages = messages + 1;
END;
CREATE TRIGGER tally_move AFTER UPDATE OF state ON status WHEN old.state <> new.state BEGIN
    UPDATE tally SET messages = messages - 1 WHERE state = old.state;
    INSERT INTO tally (state, messages) VALUES (new.state, 1)
        ON CONFLICT (state) DO UPDATE SET messages = messages + 1;
END;

-- The digest of what was last written to a record of a target.
CREATE TABLE written (
    target      TEXT NOT NULL,
    model       TEXT NOT NULL,
    external_id TEXT NOT NULL,
    digest      BLOB NOT NULL CHECK (length(digest) = 32),
    PRIMARY KEY (target, model, external_id)
) STRICT, WITHOUT ROWID;

-- The id of an entity in a target.
CREATE TABLE links (
    entity      TEXT NOT NULL,              -- the entity's key
    target      TEXT NOT NULL,
    model       TEXT NOT NULL,
    external_id TEXT NOT NULL,
    target_id   TEXT,
    PRIMARY KEY (entity, target)
) STRICT, WITHOUT ROWID;

-- Which message brought which entity, and the last place at which it counted as
-- having come: its delivery, then its being done.
CREATE TABLE delivered (
    entity  TEXT NOT NULL,
    arrival INTEGER NOT NULL REFERENCES messages (arrival),
    place   INTEGER NOT NULL,
    PRIMARY KEY (entity, arrival)
) STRICT, WITHOUT ROWID;

CREATE INDEX delivered_by ON delivered (arrival);
