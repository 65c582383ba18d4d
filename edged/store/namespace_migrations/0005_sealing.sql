-- Pictures and embeddings may be encrypted with a key of the owner's: then every blob of `chip`, `embedding`,
-- `seen_chip`, `seen_embedding`, `group_chip`, `group_embedding`, `group_track_embedding` and `picture` is a nonce
-- of 12 bytes, the ciphertext, and a tag of 16. docs/encryption.md says what that helps against.

-- One row.
CREATE TABLE sealing (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    -- NULL where blobs are as they are. The key of this file is made of the owner's and of these bytes of chance.
    salt BLOB CHECK (length(salt) = 32),
    -- A constant sealed with that key: what tells a wrong key before anything is read.
    proof BLOB,
    -- 0 while plain copies of what is sealed by now, or the other way round, may be in free pages of this file,
    -- in its log or in a snapshot: a crash after the conversion leaves them, and the next start goes on.
    is_swept INTEGER NOT NULL CHECK (is_swept IN (0, 1)),
    CHECK ((salt IS NULL) = (proof IS NULL))
) STRICT;

INSERT INTO sealing (only_row, salt, proof, is_swept) VALUES (1, NULL, NULL, 1);

-- A sealed vector is 28 bytes longer. SQLite cannot loosen a CHECK, so the tables are made anew.
CREATE TABLE wider_embedding (
    face INTEGER NOT NULL REFERENCES face (number) ON DELETE CASCADE,
    -- SHA-256 of the model's file, in hex.
    model_hash TEXT NOT NULL CHECK (length(model_hash) = 64),
    -- 16 to 4096 float32, little-endian, of unit length; all of one model are of one size, which
    -- `edged doctor --fsck` proves.
    vector BLOB NOT NULL CHECK (length(vector) BETWEEN 64 AND 16412 AND length(vector) % 4 = 0),
    PRIMARY KEY (face, model_hash)
) STRICT, WITHOUT ROWID;
INSERT INTO wider_embedding (face, model_hash, vector) SELECT face, model_hash, vector FROM embedding;
DROP TABLE embedding;
ALTER TABLE wider_embedding RENAME TO embedding;

CREATE TABLE wider_seen_embedding (
    face INTEGER NOT NULL REFERENCES seen_face (number) ON DELETE CASCADE,
    model_hash TEXT NOT NULL CHECK (length(model_hash) = 64),
    vector BLOB NOT NULL CHECK (length(vector) BETWEEN 64 AND 16412 AND length(vector) % 4 = 0),
    PRIMARY KEY (face, model_hash)
) STRICT, WITHOUT ROWID;
INSERT INTO wider_seen_embedding (face, model_hash, vector) SELECT face, model_hash, vector FROM seen_embedding;
DROP TABLE seen_embedding;
ALTER TABLE wider_seen_embedding RENAME TO seen_embedding;

CREATE TABLE wider_group_embedding (
    face INTEGER NOT NULL REFERENCES group_face (number) ON DELETE CASCADE,
    model_hash TEXT NOT NULL CHECK (length(model_hash) = 64),
    vector BLOB NOT NULL CHECK (length(vector) BETWEEN 64 AND 16412 AND length(vector) % 4 = 0),
    PRIMARY KEY (face, model_hash)
) STRICT, WITHOUT ROWID;
INSERT INTO wider_group_embedding (face, model_hash, vector) SELECT face, model_hash, vector FROM group_embedding;
DROP TABLE group_embedding;
ALTER TABLE wider_group_embedding RENAME TO group_embedding;

CREATE TABLE wider_track_embedding (
    track INTEGER NOT NULL REFERENCES group_track (number) ON DELETE CASCADE,
    model_hash TEXT NOT NULL CHECK (length(model_hash) = 64),
    vector BLOB NOT NULL CHECK (length(vector) BETWEEN 64 AND 16412 AND length(vector) % 4 = 0),
    -- How many independent faces are behind it: those of one track are alike and count for less.
    effective REAL NOT NULL CHECK (effective >= 1),
    PRIMARY KEY (track, model_hash)
) STRICT, WITHOUT ROWID;
INSERT INTO wider_track_embedding (track, model_hash, vector, effective)
    SELECT track, model_hash, vector, effective FROM group_track_embedding;
DROP TABLE group_track_embedding;
ALTER TABLE wider_track_embedding RENAME TO group_track_embedding;
