"""Decisions about what a picture shows: arithmetic on arrays, no models, no files."""
