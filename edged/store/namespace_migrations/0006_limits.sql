-- Limits in bytes. How much there is of each is counted as it comes and goes, so that a limit costs no walk through
-- all of it. Bytes are those on the disk: of sealed blobs, the sealed ones.

-- One row: aligned crops of enrolled faces, of faces of jobs, of groups; and the bodies of jobs.
CREATE TABLE kept_bytes (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    chips INTEGER NOT NULL,
    seen_chips INTEGER NOT NULL,
    group_chips INTEGER NOT NULL,
    jobs INTEGER NOT NULL
) STRICT;

INSERT INTO kept_bytes SELECT 1,
    (SELECT coalesce(sum(length(png)), 0) FROM chip),
    (SELECT coalesce(sum(length(png)), 0) FROM seen_chip),
    (SELECT coalesce(sum(length(png)), 0) FROM group_chip),
    (SELECT coalesce(sum(length(body)), 0) FROM job);

CREATE TRIGGER chip_kept AFTER INSERT ON chip BEGIN
    UPDATE kept_bytes SET chips = chips + length(new.png);
END;
CREATE TRIGGER chip_changed AFTER UPDATE OF png ON chip BEGIN
    UPDATE kept_bytes SET chips = chips + length(new.png) - length(old.png);
END;
CREATE TRIGGER chip_gone AFTER DELETE ON chip BEGIN
    UPDATE kept_bytes SET chips = chips - length(old.png);
END;

CREATE TRIGGER seen_chip_kept AFTER INSERT ON seen_chip BEGIN
    UPDATE kept_bytes SET seen_chips = seen_chips + length(new.png);
END;
CREATE TRIGGER seen_chip_changed AFTER UPDATE OF png ON seen_chip BEGIN
    UPDATE kept_bytes SET seen_chips = seen_chips + length(new.png) - length(old.png);
END;
CREATE TRIGGER seen_chip_gone AFTER DELETE ON seen_chip BEGIN
    UPDATE kept_bytes SET seen_chips = seen_chips - length(old.png);
END;

CREATE TRIGGER group_chip_kept AFTER INSERT ON group_chip BEGIN
    UPDATE kept_bytes SET group_chips = group_chips + length(new.png);
END;
CREATE TRIGGER group_chip_changed AFTER UPDATE OF png ON group_chip BEGIN
    UPDATE kept_bytes SET group_chips = group_chips + length(new.png) - length(old.png);
END;
CREATE TRIGGER group_chip_gone AFTER DELETE ON group_chip BEGIN
    UPDATE kept_bytes SET group_chips = group_chips - length(old.png);
END;

CREATE TRIGGER job_bytes_kept AFTER INSERT ON job BEGIN
    UPDATE kept_bytes SET jobs = jobs + length(new.body);
END;
CREATE TRIGGER job_bytes_changed AFTER UPDATE OF body ON job BEGIN
    UPDATE kept_bytes SET jobs = jobs + length(new.body) - length(old.body);
END;
CREATE TRIGGER job_bytes_gone AFTER DELETE ON job BEGIN
    UPDATE kept_bytes SET jobs = jobs - length(old.body);
END;

-- Of pictures the bytes were counted already, and no row ever changed until they could be sealed.
CREATE TRIGGER picture_changed AFTER UPDATE OF jpeg ON picture BEGIN
    UPDATE history_volume SET picture_bytes = picture_bytes + length(new.jpeg) - length(old.jpeg);
END;
