-- A namespace: the people enrolled in it, and the faces that stand for them. One file each; nothing in
-- here points to another file, so a namespace is copied, moved and deleted by its file alone.
--
-- Times are UTC milliseconds. Ids are UUIDs as text, in lower case, because people meet them in jobs, in
-- exports and in `sqlite3`. Every table is STRICT: SQLite then refuses what has the wrong type.

-- One row. `revision` counts the changes of this namespace: each transaction that changes who is enrolled
-- adds one, and stamps what it changed. So a reader that holds the state of revision R asks for what has a
-- later stamp, and never reads the whole gallery again for one new face.
CREATE TABLE ledger (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    revision INTEGER NOT NULL CHECK (revision >= 0),
    -- The revision of the last removal. A snapshot that is older holds somebody who was to be forgotten,
    -- and is deleted as soon as it is seen, also after a crash between the removal and the deletion.
    erased_revision INTEGER NOT NULL DEFAULT 0 CHECK (erased_revision BETWEEN 0 AND revision)
) STRICT;

INSERT INTO ledger (only_row, revision) VALUES (1, 0);

-- A person somebody enrolled.
CREATE TABLE identity (
    -- Our own short number, so that the tables below do not repeat 36 characters a row. Never shown.
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE CHECK (length(id) = 36),
    -- What people call them. Two people may have the same name, and a name may be empty.
    name TEXT NOT NULL CHECK (length(name) <= 200),
    -- What another program calls them. NULLs are all different to UNIQUE: many people may have none.
    custom_id TEXT UNIQUE CHECK (length(custom_id) BETWEEN 1 AND 256),
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    -- The ledger's revision when this person, or any of their faces, changed last.
    revision INTEGER NOT NULL CHECK (revision > 0)
) STRICT;

-- For "what changed since".
CREATE INDEX identity_by_revision ON identity (revision);

-- One enrolled face.
CREATE TABLE face (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE CHECK (length(id) = 36),
    identity INTEGER NOT NULL REFERENCES identity (number) ON DELETE CASCADE,
    -- How good it is for recognition, 0 to 1.
    quality REAL NOT NULL CHECK (quality BETWEEN 0 AND 1),
    -- Where it came from, for people: a file's name, a time in a clip. No program reads it.
    source TEXT NOT NULL CHECK (length(source) <= 300),
    created_ms INTEGER NOT NULL
) STRICT;

-- For a person's faces, and for SQLite's own check of the reference when a person is deleted.
CREATE INDEX face_by_identity ON face (identity);

-- The aligned crop of a face, 150 x 150 RGB. PNG, because it must come back exactly: a new embedder embeds
-- the gallery again from these, and a lossy crop would shift everybody a little. A table of its own keeps the
-- 30 to 50 kB of each out of the pages that the daemon reads. Missing where chips are not kept.
CREATE TABLE chip (
    face INTEGER PRIMARY KEY REFERENCES face (number) ON DELETE CASCADE,
    png BLOB NOT NULL
) STRICT;

-- What an embedder makes of a face. Vectors of two models say nothing about each other, so each has the hash
-- of its model, and a face may have one of each model that ever was in use.
CREATE TABLE embedding (
    face INTEGER NOT NULL REFERENCES face (number) ON DELETE CASCADE,
    -- SHA-256 of the model's file, in hex.
    model_hash TEXT NOT NULL CHECK (length(model_hash) = 64),
    -- 128 float32, little-endian, of unit length.
    vector BLOB NOT NULL CHECK (length(vector) = 512),
    PRIMARY KEY (face, model_hash)
) STRICT, WITHOUT ROWID;

-- Who was removed: the id and nothing else, so that a reader that was away learns that they are gone.
CREATE TABLE tombstone (
    identity_id TEXT PRIMARY KEY CHECK (length(identity_id) = 36),
    revision INTEGER NOT NULL CHECK (revision > 0),
    removed_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX tombstone_by_revision ON tombstone (revision);
