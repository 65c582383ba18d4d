"""Decisions about sending: when again, in which words, with which signature."""
