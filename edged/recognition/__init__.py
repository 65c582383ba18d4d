"""Decisions about who somebody is, and what is told about it."""
