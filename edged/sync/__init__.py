"""The nodes of a namespace at work: they stand on the namespace's database and on a broker's connection."""
