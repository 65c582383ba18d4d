"""The configuration as values: a section a file, each key declared once, with its words for the docs."""
