-- Embedders of other makers give longer or shorter vectors than the one that came with the first version.
-- SQLite cannot loosen a CHECK, so the table is made anew.
CREATE TABLE embedding_of_any_size (
    face INTEGER NOT NULL REFERENCES face (number) ON DELETE CASCADE,
    -- SHA-256 of the model's file, in hex.
    model_hash TEXT NOT NULL CHECK (length(model_hash) = 64),
    -- 16 to 4096 float32, little-endian, of unit length; all of one model are of one size, which
    -- `edged doctor --fsck` proves.
    vector BLOB NOT NULL CHECK (length(vector) BETWEEN 64 AND 16384 AND length(vector) % 4 = 0),
    PRIMARY KEY (face, model_hash)
) STRICT, WITHOUT ROWID;

INSERT INTO embedding_of_any_size (face, model_hash, vector) SELECT face, model_hash, vector FROM embedding;

DROP TABLE embedding;

ALTER TABLE embedding_of_any_size RENAME TO embedding;
