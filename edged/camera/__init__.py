"""Cameras, clips and folders: the only place that opens them."""
