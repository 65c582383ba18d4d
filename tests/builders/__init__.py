"""Values for tests, each with what a test does not care about filled in."""
