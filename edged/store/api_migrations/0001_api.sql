-- What the API needs that belongs to no namespace: who may call, and detect jobs.
--
-- Times are UTC milliseconds.

-- An access token that was given out. Of the token itself there is only its SHA-256: whoever reads this file
-- cannot call with it. A plain hash will do, for a token is 256 bits of chance.
CREATE TABLE access_token (
    digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
    client_id TEXT NOT NULL CHECK (length(client_id) BETWEEN 1 AND 256),
    -- What the client's secret was when the token was given out, so that changing the secret ends its tokens. A
    -- keyed hash or the like: never the secret.
    secret_fingerprint TEXT NOT NULL,
    issued_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL CHECK (expires_ms > issued_ms)
) STRICT, WITHOUT ROWID;

-- The oldest of a client's tokens make room.
CREATE INDEX access_token_by_client ON access_token (client_id, issued_ms);
CREATE INDEX access_token_by_end ON access_token (expires_ms);

-- A job that asks whether classes are in pictures. It belongs to the client that asked, and to no namespace, for
-- it recognises nobody.
CREATE TABLE detect_job (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE CHECK (length(id) BETWEEN 1 AND 64),
    client_id TEXT NOT NULL,
    feed_id TEXT,
    custom_id TEXT,
    created_ms INTEGER NOT NULL,
    -- When it was written last: retention goes by it.
    kept_ms INTEGER NOT NULL,
    status TEXT NOT NULL,
    -- Of the telling that is kept. A telling with a smaller one comes late and is passed over.
    sequence INTEGER NOT NULL CHECK (sequence >= 1),
    -- JSON, as it was told.
    body BLOB NOT NULL
) STRICT;

CREATE INDEX detect_job_by_client ON detect_job (client_id, created_ms, id);
CREATE INDEX detect_job_by_custom_id ON detect_job (client_id, custom_id, created_ms, id);
CREATE INDEX detect_job_by_feed ON detect_job (client_id, feed_id, created_ms, id);
CREATE INDEX detect_job_by_age ON detect_job (kept_ms, number);
CREATE INDEX detect_job_open ON detect_job (number) WHERE status = 'IN_PROGRESS';

-- How many there are, so that the limit costs no walk through them.
CREATE TABLE detect_volume (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    jobs INTEGER NOT NULL
) STRICT;

INSERT INTO detect_volume VALUES (1, 0);

CREATE TRIGGER detect_job_added AFTER INSERT ON detect_job BEGIN
    UPDATE detect_volume SET jobs = jobs + 1;
END;
CREATE TRIGGER detect_job_removed AFTER DELETE ON detect_job BEGIN
    UPDATE detect_volume SET jobs = jobs - 1;
END;
