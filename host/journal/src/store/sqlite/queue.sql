-- Worked out for speed, beside the format: made where it is missing when a file is opened for
-- writing, and kept by any host that has the file, because SQLite does it.

-- The queue of each backlog: a claim reads its first rows, whatever stands in the others. The
-- expression is `backlog!` in backlog.rs.
CREATE INDEX IF NOT EXISTS due_in_turn
    ON status (coalesce(flow, '') || char(31) || coalesce(region, system) || char(31)
               || iif(flow IS NULL, event || ' ' || substr(object, 1, instr(object, '/') - 1), ''),
               due_ns, arrival, order_key)
    WHERE head = 1 AND due_ns IS NOT NULL;
-- That of earlier hosts, which took what is not routed for one backlog of its system.
DROP INDEX IF EXISTS due_of_backlog;

-- How many messages of each backlog are in each state.
CREATE TABLE IF NOT EXISTS standing (
    backlog  TEXT NOT NULL,
    state    TEXT NOT NULL,
    messages INTEGER NOT NULL,
    PRIMARY KEY (backlog, state)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER IF NOT EXISTS standing_new AFTER INSERT ON status BEGIN
    INSERT INTO standing (backlog, state, messages)
        VALUES (coalesce(new.flow, '') || char(31) || coalesce(new.region, new.system), new.state, 1)
        ON CONFLICT (backlog, state) DO UPDATE SET messages = messages + 1;
END;
CREATE TRIGGER IF NOT EXISTS standing_move AFTER UPDATE OF state, flow, region ON status
WHEN old.state <> new.state OR old.flow IS NOT new.flow OR old.region IS NOT new.region BEGIN
    UPDATE standing SET messages = messages - 1
        WHERE backlog = coalesce(old.flow, '') || char(31) || coalesce(old.region, old.system) AND state = old.state;
    INSERT INTO standing (backlog, state, messages)
        VALUES (coalesce(new.flow, '') || char(31) || coalesce(new.region, new.system), new.state, 1)
        ON CONFLICT (backlog, state) DO UPDATE SET messages = messages + 1;
END;

INSERT INTO standing (backlog, state, messages)
    SELECT coalesce(flow, '') || char(31) || coalesce(region, system), state, count(*) FROM status
    WHERE NOT EXISTS (SELECT 1 FROM standing) GROUP BY 1, 2;
