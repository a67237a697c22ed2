-- What came with format 3. A new file gets it behind schema.sql; see format.rs.

-- Entries about plugins stand in `entries` as those about messages do. They have
-- this row in the place of a message, which nobody sent.
INSERT INTO messages (arrival, id, digest, text) VALUES (0, 'plugins', zeroblob(32), '');

-- The place of the last of these entries, so that it is missed where it was taken off.
CREATE TABLE acted (one INTEGER PRIMARY KEY CHECK (one = 1), last_place INTEGER NOT NULL) STRICT;
INSERT INTO acted (one, last_place) VALUES (1, 0);

-- Which revisions each open message finishes on. Worked out of the entries.
CREATE TABLE pins (
    revision BLOB NOT NULL CHECK (length(revision) = 32),
    arrival  INTEGER NOT NULL REFERENCES messages (arrival),
    PRIMARY KEY (revision, arrival)
) STRICT, WITHOUT ROWID;

CREATE INDEX pins_of_message ON pins (arrival);
