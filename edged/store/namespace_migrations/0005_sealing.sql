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

-- A sealed vector is 28 bytes longer. SQLite cannot loosen a CHECK, and making the tables anew would double a file of
-- gigabytes for good, and write all of it to its log and to a temporary file: so the words of the schema are
-- changed, which is what https://www.sqlite.org/lang_altertable.html (section 7) has for changes that leave every
-- row as it is. They are read again below.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema
    SET sql = replace(sql, 'length(vector) BETWEEN 64 AND 16384', 'length(vector) BETWEEN 64 AND 16412')
    WHERE type = 'table'
      AND name IN ('embedding', 'seen_embedding', 'group_embedding', 'group_track_embedding');
PRAGMA writable_schema = RESET;
