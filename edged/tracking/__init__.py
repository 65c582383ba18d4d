"""Decisions about which face is which from frame to frame."""
