-- Requests of the recognition API: whom the job of a request is told, and the webhooks that clients ask for.

-- Where the answer to a request over MQTT goes, and what the asker knows it by; NULL for everything else.
ALTER TABLE message ADD COLUMN reply_topic TEXT;
ALTER TABLE message ADD COLUMN reply_correlation BLOB;
-- Tells of a request, not of what a camera saw.
ALTER TABLE message ADD COLUMN is_request INTEGER NOT NULL DEFAULT 0 CHECK (is_request IN (0, 1));
-- The client whose request it tells of; empty where there is none.
ALTER TABLE message ADD COLUMN client_id TEXT NOT NULL DEFAULT '';

-- The same of a job that is open, so that whoever was told of it is told its end even when the daemon dies.
-- `recipients` is a JSON array of sinks.
ALTER TABLE open_job ADD COLUMN recipients TEXT NOT NULL DEFAULT '[]';
ALTER TABLE open_job ADD COLUMN reply_topic TEXT;
ALTER TABLE open_job ADD COLUMN reply_correlation BLOB;
ALTER TABLE open_job ADD COLUMN is_request INTEGER NOT NULL DEFAULT 0 CHECK (is_request IN (0, 1));
ALTER TABLE open_job ADD COLUMN client_id TEXT NOT NULL DEFAULT '';

-- A webhook that a client asked for: registered for every job, or named by a request for that one's. As a
-- sink it is called `hook:<id>`. Unlike a configured sink it has no dead letters: what its receiver refuses
-- is gone, counted.
CREATE TABLE hook (
    id            TEXT    PRIMARY KEY,
    url           TEXT    NOT NULL,
    -- Posts are signed with it, so that it has to be kept as it is; NULL: they are not signed.
    secret        TEXT,
    -- Empty where no client is known: a request over MQTT.
    client_id     TEXT    NOT NULL,
    -- JSON array: a registered one is told the jobs of these.
    namespaces    TEXT    NOT NULL,
    is_registered INTEGER NOT NULL CHECK (is_registered IN (0, 1)),
    -- Requests that named it and whose job is open: the hook of requests is gone when it is 0 and nothing
    -- waits for it.
    uses          INTEGER NOT NULL CHECK (uses >= 0),
    created_ms    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Requests of one client that name one address share a hook: one receiver, one queue, one back-off.
CREATE UNIQUE INDEX hook_of_requests ON hook (client_id, url) WHERE is_registered = 0;

-- What waits for hooks, in the order of the commits: it is given up before anything of the owner's sinks.
CREATE INDEX delivery_hook ON delivery (id) WHERE sink >= 'hook:' AND sink < 'hook;';

CREATE TRIGGER hook_served AFTER DELETE ON delivery WHEN old.sink >= 'hook:' AND old.sink < 'hook;' BEGIN
    DELETE FROM hook WHERE id = substr(old.sink, 6) AND is_registered = 0 AND uses = 0
        AND NOT EXISTS (SELECT 1 FROM delivery WHERE sink = old.sink AND dead_ms IS NULL);
END;
CREATE TRIGGER hook_unused AFTER UPDATE OF uses ON hook WHEN new.is_registered = 0 AND new.uses = 0 BEGIN
    DELETE FROM hook WHERE id = new.id
        AND NOT EXISTS (SELECT 1 FROM delivery WHERE sink = 'hook:' || new.id AND dead_ms IS NULL);
END;
