-- What a broker keeps of us: topics that were, or may be, published with `retain`.

-- Written down before a topic is first published, once a topic and never once a message, so that what a later
-- configuration does not want any more (a feed that left, another prefix, another device id) can be taken back
-- with an empty retained payload. A row is deleted when the broker has acknowledged that.
CREATE TABLE retained (
    sink   TEXT NOT NULL,
    -- `host:port`. What is kept at a broker that the sink is not connected to any more cannot be taken back,
    -- and waits here until it is.
    broker TEXT NOT NULL,
    topic  TEXT NOT NULL,
    -- Of a message that announces several entities: their keys and platforms as a JSON object, because one
    -- that goes has to be named once more. Else empty.
    parts  TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (sink, broker, topic)
) STRICT, WITHOUT ROWID;
