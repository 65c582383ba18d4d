-- The outbox: what is to be told, to whom it has not been told yet, and which jobs are open.
--
-- One file for all namespaces. The committer writes `synchronous = FULL`, so that what it committed
-- survives a power cut; everything below is about sending it at least once, in order, and forgetting it then.
-- Times that end in `_ms` are UTC; those that end in `_steady_ms` are by the machine's steady clock, which
-- never jumps and begins anew with every start of the machine (see docs/delivery.md, "Clocks").

-- What is to be told, once, however many sinks want it.
CREATE TABLE message (
    -- In the order of the commits. Never used twice, so that a late word about a message that is gone
    -- cannot hit another.
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    kind               TEXT    NOT NULL CHECK (kind IN ('job', 'event', 'presence')),
    namespace          TEXT    NOT NULL,
    feed_id            TEXT    NOT NULL,
    -- A job's id, an event's id, or the feed's id for presence; with `sequence` the idempotency key.
    subject_id         TEXT    NOT NULL,
    sequence           INTEGER NOT NULL CHECK (sequence >= 1),
    -- A final message is kept until it is sent; any other is replaced, while it waits, by the next of its
    -- subject.
    is_final           INTEGER NOT NULL CHECK (is_final IN (0, 1)),
    -- Tells of a clip's own time: never replaced, never late.
    is_replay          INTEGER NOT NULL CHECK (is_replay IN (0, 1)),
    body               BLOB    NOT NULL,
    at_ms              INTEGER NOT NULL,
    enqueued_ms        INTEGER NOT NULL,
    -- NULL once the machine was started anew: the steady times of before mean nothing then.
    enqueued_steady_ms INTEGER
) STRICT;

-- One message on its way to one sink. The row is deleted when the sink has it.
CREATE TABLE delivery (
    id                    INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id            INTEGER NOT NULL REFERENCES message (id),
    sink                  TEXT    NOT NULL,
    -- `kind:subject_id` of the message, here too because the claim asks for it in every row: messages of
    -- one subject go to a sink one after the other.
    subject               TEXT    NOT NULL,
    -- Tries that the sink answered and failed. Tries that did not reach it are not counted.
    attempts              INTEGER NOT NULL DEFAULT 0,
    -- Not to be tried before; 0: at once.
    due_steady_ms         INTEGER NOT NULL DEFAULT 0,
    -- Somebody is sending it, until then at most. All leases end with the daemon that holds them.
    lease_until_steady_ms INTEGER,
    -- Why the last try failed, or why the message is dead.
    reason                TEXT,
    -- Since when it is a dead letter; NULL: it is not.
    dead_ms               INTEGER
) STRICT;

-- The claim walks the waiting deliveries of one sink in their order …
CREATE INDEX delivery_queue ON delivery (sink, id) WHERE dead_ms IS NULL;
-- … and asks whether an earlier one of the same subject is still on its way.
CREATE INDEX delivery_subject ON delivery (sink, subject, id) WHERE dead_ms IS NULL;
CREATE INDEX delivery_message ON delivery (message_id);

-- Jobs that are not final, as last committed: what a daemon that died in their middle closes when it comes
-- back. Written in the transaction that enqueues the update, deleted in that of the final one.
CREATE TABLE open_job (
    job_id    TEXT    PRIMARY KEY,
    namespace TEXT    NOT NULL,
    feed_id   TEXT    NOT NULL,
    sequence  INTEGER NOT NULL,
    is_replay INTEGER NOT NULL CHECK (is_replay IN (0, 1)),
    body      BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

-- `device`: the id of this device. `run`: how often the daemon was started. `boot`: the start of the machine
-- that the steady times belong to. `replay`: how often the replay of clips began anew after one that was broken
-- off; `replay_open`: whether the last one was not ended (yet).
CREATE TABLE state (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What was sent, and every loss that is allowed, by sink, since the file was made.
CREATE TABLE counter (
    sink  TEXT    NOT NULL,
    name  TEXT    NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (sink, name)
) STRICT, WITHOUT ROWID;

-- How much is kept, so that the limit costs no walk through the messages.
CREATE TABLE volume (
    only     INTEGER PRIMARY KEY CHECK (only = 1),
    messages INTEGER NOT NULL,
    bytes    INTEGER NOT NULL
) STRICT;
INSERT INTO volume VALUES (1, 0, 0);

CREATE TRIGGER message_added AFTER INSERT ON message BEGIN
    UPDATE volume SET messages = messages + 1, bytes = bytes + length(new.body);
END;
CREATE TRIGGER message_removed AFTER DELETE ON message BEGIN
    UPDATE volume SET messages = messages - 1, bytes = bytes - length(old.body);
END;

-- A message is gone when no sink waits for it any more.
CREATE TRIGGER delivery_removed AFTER DELETE ON delivery
WHEN NOT EXISTS (SELECT 1 FROM delivery WHERE message_id = old.message_id) BEGIN
    DELETE FROM message WHERE id = old.message_id;
END;
CREATE TRIGGER delivery_replaced AFTER UPDATE OF message_id ON delivery
WHEN NOT EXISTS (SELECT 1 FROM delivery WHERE message_id = old.message_id) BEGIN
    DELETE FROM message WHERE id = old.message_id;
END;
