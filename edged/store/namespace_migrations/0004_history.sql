-- History: jobs as they were told last, with their faces and pictures, so that the API can be asked for them and
-- people be enrolled from faces seen before. It is bounded in number, age and bytes, and is in no snapshot. What
-- is written here is no change of who is enrolled, and the ledger does not count it.
--
-- `kept_ms` is when the daemon wrote a row, by its own clock: retention goes by it. `created_ms` is the time in
-- the job, which is long past where a clip is replayed: searches go by it.

-- A job, of a camera or of a request.
CREATE TABLE job (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE CHECK (length(id) BETWEEN 1 AND 64),
    -- NULL of a request that named none.
    feed_id TEXT CHECK (length(feed_id) BETWEEN 1 AND 64),
    custom_id TEXT CHECK (length(custom_id) BETWEEN 1 AND 256),
    created_ms INTEGER NOT NULL,
    kept_ms INTEGER NOT NULL,
    status TEXT NOT NULL,
    -- Of the telling that is kept. A telling with a smaller one comes late and is passed over.
    sequence INTEGER NOT NULL CHECK (sequence >= 1),
    -- JSON, as it was told, but for people who were removed since: their objects are taken out.
    body BLOB NOT NULL
) STRICT;

-- A search walks one of these and stops when it has enough; it never sorts.
CREATE INDEX job_by_time ON job (created_ms, id);
CREATE INDEX job_by_feed ON job (feed_id, created_ms, id);
CREATE INDEX job_by_custom_id ON job (custom_id, created_ms, id);
CREATE INDEX job_by_age ON job (kept_ms, number);
CREATE INDEX job_open ON job (number) WHERE status = 'IN_PROGRESS';

-- Whose tracks are in a job, so that a person's or a group's are found without reading every body.
CREATE TABLE job_track (
    track_id TEXT NOT NULL CHECK (length(track_id) BETWEEN 1 AND 64),
    job INTEGER NOT NULL REFERENCES job (number) ON DELETE CASCADE,
    -- The group that the job says the track is in.
    group_id TEXT,
    PRIMARY KEY (track_id, job)
) STRICT, WITHOUT ROWID;

CREATE INDEX job_track_by_job ON job_track (job);
CREATE INDEX job_track_by_group ON job_track (group_id) WHERE group_id IS NOT NULL;

-- Who a track was ever said to be: a job that was corrected mentions two people, and a track of a group that was
-- named since is the named person's.
CREATE TABLE job_identity (
    identity_id TEXT NOT NULL CHECK (length(identity_id) = 36),
    job INTEGER NOT NULL REFERENCES job (number) ON DELETE CASCADE,
    track_id TEXT NOT NULL,
    PRIMARY KEY (identity_id, job, track_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX job_identity_by_job ON job_identity (job);

-- A face that is an object of a job, or that was enrolled from a picture sent to the API.
CREATE TABLE seen_face (
    number INTEGER PRIMARY KEY,
    -- `edge.faceId` in the job. Where the face is enrolled it is that of `face` too: they are one thing.
    id TEXT NOT NULL UNIQUE CHECK (length(id) = 36),
    -- The job may be deleted before the face; NULL of a face that was in none.
    job_id TEXT CHECK (length(job_id) BETWEEN 1 AND 64),
    image_id TEXT NOT NULL CHECK (length(image_id) BETWEEN 1 AND 64),
    track_id TEXT NOT NULL CHECK (length(track_id) BETWEEN 1 AND 64),
    feed_id TEXT CHECK (length(feed_id) BETWEEN 1 AND 64),
    custom_id TEXT CHECK (length(custom_id) BETWEEN 1 AND 256),
    -- Who it was recognised as; where it is enrolled, whose it is.
    identity_id TEXT CHECK (length(identity_id) = 36),
    -- The row of `face`. Enrolled faces are outside retention.
    enrolled INTEGER REFERENCES face (number),
    -- As the job has it, [xMin, yMin, xMax, yMax]: fractions, or whole pixels where so configured.
    box TEXT NOT NULL,
    detection_score REAL NOT NULL CHECK (detection_score BETWEEN 0 AND 1),
    -- Pixels of the picture.
    width_px INTEGER NOT NULL CHECK (width_px >= 0),
    height_px INTEGER NOT NULL CHECK (height_px >= 0),
    -- NULL of a face nobody looked at closely, and so are the next two.
    quality REAL CHECK (quality BETWEEN 0 AND 1),
    is_frontal INTEGER CHECK (is_frontal IN (0, 1)),
    sharpness REAL CHECK (sharpness BETWEEN 0 AND 1),
    created_ms INTEGER NOT NULL,
    kept_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX seen_face_by_time ON seen_face (created_ms, id);
CREATE INDEX seen_face_by_feed ON seen_face (feed_id, created_ms, id);
CREATE INDEX seen_face_by_custom_id ON seen_face (custom_id, created_ms, id);
CREATE INDEX seen_face_by_identity ON seen_face (identity_id) WHERE identity_id IS NOT NULL;
CREATE INDEX seen_face_by_track ON seen_face (track_id);
CREATE INDEX seen_face_by_age ON seen_face (kept_ms, number) WHERE enrolled IS NULL;
CREATE UNIQUE INDEX seen_face_by_enrolled ON seen_face (enrolled) WHERE enrolled IS NOT NULL;

-- As `chip` and `embedding` are to `face`. A face that is enrolled takes them along, and brings them back.
CREATE TABLE seen_chip (
    face INTEGER PRIMARY KEY REFERENCES seen_face (number) ON DELETE CASCADE,
    png BLOB NOT NULL
) STRICT;

CREATE TABLE seen_embedding (
    face INTEGER NOT NULL REFERENCES seen_face (number) ON DELETE CASCADE,
    model_hash TEXT NOT NULL CHECK (length(model_hash) = 64),
    vector BLOB NOT NULL CHECK (length(vector) BETWEEN 64 AND 16384 AND length(vector) % 4 = 0),
    PRIMARY KEY (face, model_hash)
) STRICT, WITHOUT ROWID;

-- However a face comes to be enrolled, or ceases to be, the seen one says so.
CREATE TRIGGER face_enrolled AFTER INSERT ON face BEGIN
    UPDATE seen_face SET enrolled = new.number,
                         identity_id = (SELECT id FROM identity WHERE number = new.identity)
    WHERE id = new.id;
END;
CREATE TRIGGER face_given AFTER UPDATE OF identity ON face BEGIN
    UPDATE seen_face SET identity_id = (SELECT id FROM identity WHERE number = new.identity)
    WHERE enrolled = new.number;
END;
CREATE TRIGGER face_left BEFORE DELETE ON face BEGIN
    UPDATE seen_face SET enrolled = NULL, identity_id = NULL WHERE enrolled = old.number;
END;

-- The whole picture of one image of a job. It goes with its job: who is in a picture is known by the job alone,
-- and without it nobody could tell whose picture is to be deleted with a person.
CREATE TABLE picture (
    number INTEGER PRIMARY KEY,
    image_id TEXT NOT NULL UNIQUE CHECK (length(image_id) BETWEEN 1 AND 64),
    job INTEGER NOT NULL REFERENCES job (number) ON DELETE CASCADE,
    created_ms INTEGER NOT NULL,
    kept_ms INTEGER NOT NULL,
    jpeg BLOB NOT NULL
) STRICT;

CREATE INDEX picture_by_job ON picture (job);
CREATE INDEX picture_by_age ON picture (kept_ms, number);

-- How much is kept, so that a limit costs no walk through all of it. `faces` are those outside the gallery.
CREATE TABLE history_volume (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    jobs INTEGER NOT NULL,
    faces INTEGER NOT NULL,
    picture_bytes INTEGER NOT NULL
) STRICT;

INSERT INTO history_volume VALUES (1, 0, 0, 0);

CREATE TRIGGER job_added AFTER INSERT ON job BEGIN
    UPDATE history_volume SET jobs = jobs + 1;
END;
CREATE TRIGGER job_removed AFTER DELETE ON job BEGIN
    UPDATE history_volume SET jobs = jobs - 1;
END;
CREATE TRIGGER seen_face_added AFTER INSERT ON seen_face WHEN new.enrolled IS NULL BEGIN
    UPDATE history_volume SET faces = faces + 1;
END;
CREATE TRIGGER seen_face_removed AFTER DELETE ON seen_face WHEN old.enrolled IS NULL BEGIN
    UPDATE history_volume SET faces = faces - 1;
END;
CREATE TRIGGER seen_face_changed AFTER UPDATE OF enrolled ON seen_face
WHEN (old.enrolled IS NULL) <> (new.enrolled IS NULL) BEGIN
    UPDATE history_volume SET faces = faces + (new.enrolled IS NULL) - (old.enrolled IS NULL);
END;
CREATE TRIGGER picture_added AFTER INSERT ON picture BEGIN
    UPDATE history_volume SET picture_bytes = picture_bytes + length(new.jpeg);
END;
CREATE TRIGGER picture_removed AFTER DELETE ON picture BEGIN
    UPDATE history_volume SET picture_bytes = picture_bytes - length(old.jpeg);
END;

-- Tracks of people who were removed, and of groups that were forgotten: a running daemon may still have a telling
-- of one on its way to the disk, as of somebody unknown by then, and must not bring it back. Emptied when the
-- daemon starts.
CREATE TABLE erased_track (
    track_id TEXT PRIMARY KEY CHECK (length(track_id) BETWEEN 1 AND 64),
    erased_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Somebody who was merged into another identity left a tombstone too; a late telling of them tells of the other.
ALTER TABLE tombstone ADD COLUMN heir TEXT CHECK (length(heir) = 36);

CREATE INDEX tombstone_by_heir ON tombstone (heir) WHERE heir IS NOT NULL;

-- For searches, as above.
CREATE INDEX identity_by_time ON identity (created_ms, id);
CREATE INDEX identity_by_custom_id ON identity (custom_id, created_ms, id);
CREATE INDEX face_by_time ON face (created_ms, id);
CREATE INDEX unknown_group_by_time ON unknown_group (first_seen_ms, id);
