"""The configuration file, the composition of the daemon, its life."""
