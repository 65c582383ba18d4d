-- How the outbox is doing is asked with every scrape of the metrics, while it holds everybody up: what is
-- rare among many waiting messages is found without looking at each of them.

-- Dead letters, by sink.
CREATE INDEX delivery_dead ON delivery (sink, id) WHERE dead_ms IS NOT NULL;

-- Waiting messages of which a try failed.
CREATE INDEX delivery_retrying ON delivery (sink, id) WHERE dead_ms IS NULL AND reason IS NOT NULL;
