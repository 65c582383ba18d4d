-- Sync: a namespace that is the same on many nodes. One node, the authority, publishes all of it as numbered epochs;
-- the members apply them. docs/sync.md says how. A namespace that is not synced has nothing in these tables.

-- One row, or none of a namespace that is not synced.
CREATE TABLE sync_membership (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    -- `split`: another node writes with the authority's key; nothing is published until somebody decides.
    role TEXT NOT NULL CHECK (role IN ('authority', 'member', 'joining', 'removed', 'split')),
    -- This node's name in topics when it joined: another one is another node.
    node TEXT NOT NULL CHECK (length(node) BETWEEN 1 AND 64),
    -- The key of the authority that is believed, 32 bytes.
    authority BLOB NOT NULL CHECK (length(authority) = 32),
    -- While joining: the invitation's secret, and when it runs out. Forgotten once it has served.
    invitation BLOB CHECK (length(invitation) = 16),
    invitation_expires_ms INTEGER,
    since_ms INTEGER NOT NULL,
    -- `member/<node>` that was believed last: its time, so that an earlier one is told from it.
    told_ms INTEGER NOT NULL DEFAULT 0,
    -- What commands want of a running daemon. The node that is to be the authority:
    successor TEXT,
    -- MessagePack of what the authority told this node that is to follow it; NULL of all others.
    succession BLOB,
    -- 1: the namespace's key is to be changed.
    rotation_wanted INTEGER NOT NULL DEFAULT 0 CHECK (rotation_wanted IN (0, 1)),
    -- 1: an authority restored from a backup takes over what was published since, before it publishes.
    is_restored INTEGER NOT NULL DEFAULT 0 CHECK (is_restored IN (0, 1)),
    -- 1: this node leaves; the row goes when that was said.
    is_leaving INTEGER NOT NULL DEFAULT 0 CHECK (is_leaving IN (0, 1)),
    -- 1: of a member whose authority asks before it takes new faces: they are withheld until then.
    is_withholding INTEGER NOT NULL DEFAULT 0 CHECK (is_withholding IN (0, 1)),
    -- 1 only within a transaction that applies an epoch: what changes then is nobody's wish.
    is_applying INTEGER NOT NULL DEFAULT 0 CHECK (is_applying IN (0, 1))
) STRICT;

-- One row with the epoch in force: of the authority the one it published, of a member the one it applied.
CREATE TABLE sync_epoch (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    epoch INTEGER NOT NULL CHECK (epoch > 0),
    -- The manifest as it came, or went out, signature and all.
    manifest BLOB NOT NULL,
    -- The ledger's revision that has it. A later one has changes of this node's own.
    revision INTEGER NOT NULL CHECK (revision >= 0),
    at_ms INTEGER NOT NULL,
    -- When the authority last said that it is in force, by the authority's clock.
    alive_ms INTEGER NOT NULL,
    -- Up to which epoch log, snapshots and unsent messages are cleared of who was taken out.
    swept_epoch INTEGER NOT NULL DEFAULT 0,
    -- The last epoch that took somebody out, and when the key was changed last.
    erased_epoch INTEGER NOT NULL DEFAULT 0,
    rotated_ms INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What is in force, bucket by bucket: SHA-256 of its content. A bucket that is missing, or has NULL, is to be applied
-- again, whatever the epoch.
CREATE TABLE sync_bucket (
    bucket INTEGER PRIMARY KEY CHECK (bucket BETWEEN 0 AND 1023),
    content_hash BLOB CHECK (length(content_hash) = 32)
) STRICT;

-- Sealed pages that came and wait for the others of their epoch, so that a start goes on where the last one ended.
CREATE TABLE sync_page (
    sha256 TEXT PRIMARY KEY CHECK (length(sha256) = 64),
    sealed BLOB NOT NULL,
    came_ms INTEGER NOT NULL
) STRICT;

-- Pages that the authority published and no manifest lists any more, until they are cleared from the broker.
CREATE TABLE sync_retired (
    sha256 TEXT PRIMARY KEY CHECK (length(sha256) = 64),
    since_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The namespace's keys, each in an envelope that this node's own secret opens.
CREATE TABLE sync_key (
    generation INTEGER PRIMARY KEY CHECK (generation > 0),
    envelope BLOB NOT NULL,
    -- Of the authority: the first epoch that is sealed with it.
    since_epoch INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The authority's list of members, itself left out.
CREATE TABLE sync_member (
    node TEXT PRIMARY KEY CHECK (length(node) BETWEEN 1 AND 64),
    node_key BLOB NOT NULL CHECK (length(node_key) = 32),
    sealing_key BLOB NOT NULL CHECK (length(sealing_key) = 32),
    authority_key BLOB NOT NULL CHECK (length(authority_key) = 32),
    joined_ms INTEGER NOT NULL,
    -- Put out, or gone by itself: who was erased since is not asked of it.
    removed_ms INTEGER,
    -- `member/<node>` was published with what is here; 0: it is to be.
    is_told INTEGER NOT NULL DEFAULT 0 CHECK (is_told IN (0, 1)),
    told_ms INTEGER NOT NULL DEFAULT 0,
    -- Its last report: the statement, and what it says, for queries.
    report BLOB,
    reported_ms INTEGER NOT NULL DEFAULT 0,
    -- The same by this node's clock.
    heard_ms INTEGER NOT NULL DEFAULT 0,
    epoch INTEGER NOT NULL DEFAULT 0,
    swept_epoch INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT '',
    -- It reports so often where nothing changes; 0: not said.
    report_every_ms INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Invitations that are out, by the SHA-256 of their secrets.
CREATE TABLE sync_invitation (
    hash BLOB PRIMARY KEY CHECK (length(hash) = 32),
    secret BLOB NOT NULL CHECK (length(secret) = 16),
    expires_ms INTEGER NOT NULL,
    -- How many nodes may still use it.
    uses INTEGER NOT NULL CHECK (uses > 0)
) STRICT, WITHOUT ROWID;

-- The authority: proposals of members, by the number that each gave them. A row stays as the answer until newer ones
-- of the node push it out.
CREATE TABLE sync_proposed (
    node TEXT NOT NULL REFERENCES sync_member (node) ON DELETE CASCADE,
    number INTEGER NOT NULL CHECK (number > 0),
    -- Chance that the node gave it: a node that was set back may give a number twice.
    token TEXT NOT NULL,
    identity_id TEXT NOT NULL CHECK (length(identity_id) = 36),
    at_ms INTEGER NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('accepted', 'refused', 'waiting')),
    -- MessagePack of what is wanted, while it waits; sealed as pictures are where this file is.
    wanted BLOB,
    -- Of accepted ones: the ledger's revision that has it, and the epoch once there is one.
    revision INTEGER NOT NULL DEFAULT 0,
    epoch INTEGER NOT NULL DEFAULT 0,
    why TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (node, number)
) STRICT, WITHOUT ROWID;

-- A member's own changes that the authority has not answered: written by the triggers below in the transaction that
-- makes them, whoever does. One row a change. Of an authority that is restored what is changed before it has taken
-- over what it published: that stays, and is in its next epoch.
CREATE TABLE sync_change (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    identity_id TEXT NOT NULL CHECK (length(identity_id) = 36),
    kind TEXT NOT NULL CHECK (kind IN ('new', 'removed', 'name', 'custom id', 'face', 'no face')),
    face_id TEXT,
    -- The proposal that it went out in; NULL before.
    proposal INTEGER
) STRICT;

CREATE INDEX sync_change_by_identity ON sync_change (identity_id);

-- A member's proposals that are not answered, or whose answer is not in force yet.
CREATE TABLE sync_proposal (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Chance: an answer counts for it only with the same.
    token TEXT NOT NULL,
    identity_id TEXT NOT NULL,
    made_ms INTEGER NOT NULL,
    sent_ms INTEGER NOT NULL DEFAULT 0,
    verdict TEXT NOT NULL DEFAULT '' CHECK (verdict IN ('', 'accepted', 'refused', 'waiting')),
    epoch INTEGER NOT NULL DEFAULT 0,
    why TEXT NOT NULL DEFAULT ''
) STRICT;

-- Faces that a member may not use before the authority took them.
CREATE TABLE sync_withheld (
    face INTEGER PRIMARY KEY REFERENCES face (number) ON DELETE CASCADE
) STRICT;

CREATE TRIGGER identity_wanted AFTER INSERT ON identity
WHEN EXISTS (SELECT 1 FROM sync_membership WHERE (role = 'member' OR is_restored) AND NOT is_applying) BEGIN
    INSERT INTO sync_change (identity_id, kind) VALUES (new.id, 'new');
END;
CREATE TRIGGER identity_unwanted AFTER DELETE ON identity
WHEN EXISTS (SELECT 1 FROM sync_membership WHERE (role = 'member' OR is_restored) AND NOT is_applying) BEGIN
    INSERT INTO sync_change (identity_id, kind) VALUES (old.id, 'removed');
END;
-- The same name given again changes when the person was changed last, which the authority says too.
CREATE TRIGGER name_wanted AFTER UPDATE OF name ON identity
WHEN EXISTS (SELECT 1 FROM sync_membership WHERE (role = 'member' OR is_restored) AND NOT is_applying) BEGIN
    INSERT INTO sync_change (identity_id, kind) VALUES (new.id, 'name');
END;
CREATE TRIGGER custom_id_wanted AFTER UPDATE OF custom_id ON identity
WHEN EXISTS (SELECT 1 FROM sync_membership WHERE (role = 'member' OR is_restored) AND NOT is_applying) BEGIN
    INSERT INTO sync_change (identity_id, kind) VALUES (new.id, 'custom id');
END;
CREATE TRIGGER face_wanted AFTER INSERT ON face
WHEN EXISTS (SELECT 1 FROM sync_membership WHERE (role = 'member' OR is_restored) AND NOT is_applying) BEGIN
    INSERT INTO sync_change (identity_id, kind, face_id)
        SELECT id, 'face', new.id FROM identity WHERE number = new.identity;
END;
CREATE TRIGGER face_moved AFTER UPDATE OF identity ON face
WHEN new.identity <> old.identity
    AND EXISTS (SELECT 1 FROM sync_membership WHERE (role = 'member' OR is_restored) AND NOT is_applying) BEGIN
    INSERT INTO sync_change (identity_id, kind, face_id)
        SELECT id, 'no face', new.id FROM identity WHERE number = old.identity;
    INSERT INTO sync_change (identity_id, kind, face_id)
        SELECT id, 'face', new.id FROM identity WHERE number = new.identity;
END;
CREATE TRIGGER face_unwanted BEFORE DELETE ON face
WHEN EXISTS (SELECT 1 FROM sync_membership WHERE (role = 'member' OR is_restored) AND NOT is_applying) BEGIN
    INSERT INTO sync_change (identity_id, kind, face_id)
        SELECT id, 'no face', old.id FROM identity WHERE number = old.identity;
END;

CREATE TRIGGER face_withheld AFTER INSERT ON face
WHEN EXISTS (SELECT 1 FROM sync_membership WHERE role = 'member' AND is_withholding AND NOT is_applying) BEGIN
    INSERT OR IGNORE INTO sync_withheld VALUES (new.number);
END;
CREATE TRIGGER moved_face_withheld AFTER UPDATE OF identity ON face
WHEN new.identity <> old.identity
    AND EXISTS (SELECT 1 FROM sync_membership WHERE role = 'member' AND is_withholding AND NOT is_applying) BEGIN
    INSERT OR IGNORE INTO sync_withheld VALUES (new.number);
END;

-- Groups of unknown people that are shared. One row while this node shares its own.
CREATE TABLE sync_group_sharing (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    -- The time of what it said last: the next word is later, whatever the clock says.
    said_ms INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The nodes that shared groups, by their last word. It stays when their groups go: what was said before is not
-- taken again.
CREATE TABLE sync_group_node (
    node TEXT PRIMARY KEY CHECK (length(node) BETWEEN 1 AND 64),
    said_ms INTEGER NOT NULL,
    -- Of the namespace's key that it was sealed with.
    generation INTEGER NOT NULL CHECK (generation > 0)
) STRICT, WITHOUT ROWID;

-- What they shared: no face, only the mean that a group is known by.
CREATE TABLE sync_group_elsewhere (
    number INTEGER PRIMARY KEY,
    node TEXT NOT NULL REFERENCES sync_group_node (node) ON DELETE CASCADE,
    group_id TEXT NOT NULL CHECK (length(group_id) = 36),
    first_seen_ms INTEGER NOT NULL,
    last_seen_ms INTEGER NOT NULL CHECK (last_seen_ms >= first_seen_ms),
    visits INTEGER NOT NULL CHECK (visits > 0),
    -- As of `unknown_group`, by the other node's clock.
    kept_ms INTEGER NOT NULL,
    model_hash TEXT NOT NULL CHECK (length(model_hash) = 64),
    -- Sealed where this file is.
    vector BLOB NOT NULL CHECK (length(vector) BETWEEN 64 AND 16412 AND length(vector) % 4 = 0),
    effective REAL NOT NULL CHECK (effective >= 1),
    UNIQUE (node, group_id)
) STRICT;

CREATE INDEX sync_group_elsewhere_by_group ON sync_group_elsewhere (group_id);

-- What people made of groups, here or at another node, for a while: told on to the others.
CREATE TABLE sync_group_fate (
    group_id TEXT PRIMARY KEY CHECK (length(group_id) = 36),
    fate TEXT NOT NULL CHECK (fate IN ('forgotten', 'named', 'merged')),
    -- The identity that it was named as, or the group that it was merged into.
    heir TEXT CHECK (length(heir) = 36 AND heir <> group_id),
    -- NULL until it is told for the first time.
    at_ms INTEGER,
    -- 0: of one that was named elsewhere, and whose person is not here yet.
    is_done INTEGER NOT NULL DEFAULT 1 CHECK (is_done IN (0, 1)),
    CHECK ((heir IS NULL) = (fate = 'forgotten'))
) STRICT, WITHOUT ROWID;

-- The groups' revision when what other nodes share was changed last.
ALTER TABLE group_ledger ADD COLUMN elsewhere_revision INTEGER NOT NULL DEFAULT 0;

-- Whoever holds the groups reads them again, whoever changed what others share.
CREATE TRIGGER group_shared AFTER INSERT ON sync_group_elsewhere BEGIN
    UPDATE group_ledger SET revision = revision + 1, elsewhere_revision = revision + 1;
END;
CREATE TRIGGER group_unshared AFTER DELETE ON sync_group_elsewhere BEGIN
    UPDATE group_ledger SET revision = revision + 1, elsewhere_revision = revision + 1;
END;

-- Nothing is kept of who was removed, whoever still wants something of them.
CREATE TRIGGER proposed_in_vain AFTER INSERT ON tombstone BEGIN
    UPDATE sync_member SET is_told = 0, told_ms = told_ms + 1 WHERE node IN (
        SELECT node FROM sync_proposed WHERE identity_id = new.identity_id AND verdict = 'waiting'
    );
    UPDATE sync_proposed SET verdict = 'refused', wanted = NULL, why = 'the person was removed meanwhile'
    WHERE identity_id = new.identity_id AND verdict = 'waiting';
END;
