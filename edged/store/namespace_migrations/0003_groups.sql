-- Groups: people nobody has named yet. Each is a cluster of tracks that look like one person, found by the
-- daemon; naming one makes an identity of it. They are bounded in number and age, and are in no snapshot: what
-- was to be forgotten is in this file alone.

-- One row. Commands and retention count here, as they do in `ledger` for the people. What the daemon adds by
-- itself it knows already, and does not count.
CREATE TABLE group_ledger (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    revision INTEGER NOT NULL CHECK (revision >= 0)
) STRICT;

INSERT INTO group_ledger (only_row, revision) VALUES (1, 0);

CREATE TABLE unknown_group (
    number INTEGER PRIMARY KEY,
    -- Derived from the id of the track that founded it, so that a replay gives the same one.
    id TEXT NOT NULL UNIQUE CHECK (length(id) = 36),
    -- In the time of the feeds, which is long past where a clip is replayed.
    first_seen_ms INTEGER NOT NULL,
    last_seen_ms INTEGER NOT NULL CHECK (last_seen_ms >= first_seen_ms),
    -- How often the person came. More than the tracks below tell: the oldest are dropped.
    visits INTEGER NOT NULL CHECK (visits > 0),
    -- When the daemon wrote to it last, by its own clock: this is what retention goes by.
    kept_ms INTEGER NOT NULL,
    -- The group ledger's revision when a command changed it last.
    revision INTEGER NOT NULL CHECK (revision >= 0)
) STRICT;

CREATE INDEX unknown_group_by_age ON unknown_group (kept_ms, number);
CREATE INDEX unknown_group_by_revision ON unknown_group (revision);

-- An unknown track of a group, the newest few dozens of each.
CREATE TABLE group_track (
    number INTEGER PRIMARY KEY,
    -- As jobs tell it. A track that comes again is in the group that it was in: it is a replay.
    id TEXT NOT NULL UNIQUE CHECK (length(id) = 36),
    unknown_group INTEGER NOT NULL REFERENCES unknown_group (number) ON DELETE CASCADE,
    feed_id TEXT NOT NULL CHECK (length(feed_id) BETWEEN 1 AND 64),
    first_seen_ms INTEGER NOT NULL,
    last_seen_ms INTEGER NOT NULL CHECK (last_seen_ms >= first_seen_ms),
    -- Earlier visits of the person, as was told when the track joined.
    seen_before INTEGER NOT NULL CHECK (seen_before >= 0)
) STRICT;

CREATE INDEX group_track_by_group ON group_track (unknown_group);

-- The mean of all good faces of a track, of which only few are kept.
CREATE TABLE group_track_embedding (
    track INTEGER NOT NULL REFERENCES group_track (number) ON DELETE CASCADE,
    model_hash TEXT NOT NULL CHECK (length(model_hash) = 64),
    vector BLOB NOT NULL CHECK (length(vector) BETWEEN 64 AND 16384 AND length(vector) % 4 = 0),
    -- How many independent faces are behind it: those of one track are alike and count for less.
    effective REAL NOT NULL CHECK (effective >= 1),
    PRIMARY KEY (track, model_hash)
) STRICT, WITHOUT ROWID;

-- The best and most varied faces, a few of each track and some more of each group.
CREATE TABLE group_face (
    number INTEGER PRIMARY KEY,
    track INTEGER NOT NULL REFERENCES group_track (number) ON DELETE CASCADE,
    quality REAL NOT NULL CHECK (quality BETWEEN 0 AND 1),
    -- Pose in degrees, for choosing varied faces.
    yaw_deg REAL NOT NULL,
    pitch_deg REAL NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX group_face_by_track ON group_face (track);

-- As `chip` and `embedding` are to `face`.
CREATE TABLE group_chip (
    face INTEGER PRIMARY KEY REFERENCES group_face (number) ON DELETE CASCADE,
    png BLOB NOT NULL
) STRICT;

CREATE TABLE group_embedding (
    face INTEGER NOT NULL REFERENCES group_face (number) ON DELETE CASCADE,
    model_hash TEXT NOT NULL CHECK (length(model_hash) = 64),
    vector BLOB NOT NULL CHECK (length(vector) BETWEEN 64 AND 16384 AND length(vector) % 4 = 0),
    PRIMARY KEY (face, model_hash)
) STRICT, WITHOUT ROWID;

-- What became of groups that are gone, for a running daemon: it may still have news of one on their way to the
-- disk, and must neither bring it back nor lose what was merged. Emptied when the daemon starts.
CREATE TABLE group_fate (
    group_id TEXT PRIMARY KEY CHECK (length(group_id) = 36),
    -- The group it was merged into; NULL for one that was named, forgotten, or grew too old.
    heir TEXT CHECK (length(heir) = 36),
    revision INTEGER NOT NULL CHECK (revision > 0)
) STRICT, WITHOUT ROWID;

CREATE INDEX group_fate_by_revision ON group_fate (revision);

-- The tracks of groups that were named, forgotten, or grew too old, for the same reason: a track may have been
-- split off before, and the daemon still think that it is in the group that it was in.
CREATE TABLE group_lost_track (
    track_id TEXT PRIMARY KEY CHECK (length(track_id) = 36),
    revision INTEGER NOT NULL CHECK (revision > 0)
) STRICT, WITHOUT ROWID;

CREATE INDEX group_lost_track_by_revision ON group_lost_track (revision);
