"""What keeps one namespace the same on many nodes, as values: statements, pages, keys, decisions."""
