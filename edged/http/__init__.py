"""The recognition API over HTTP: the server, and fetching what a request names."""
