"""The address by which others reach the daemon's own HTTP server."""

from typing import Final

from edged.settings.http import Http

_EVERY_ADDRESS: Final = frozenset({"0.0.0.0", "[::]", "*"})  # noqa: S104 (recognised, not listened at)


def base_url(http: Http, hostname: str) -> str:
    """The address that those of pictures begin with, without a final `/`.

    `public_url` where there is one. Else what it listens at, and where that is every address of the machine,
    the machine's name: whether others can resolve that is the network's affair, which `public_url` settles.
    """
    if http.public_url is not None:
        return http.public_url
    host, _, port = http.listen.rpartition(":")
    scheme = "http" if http.tls is None else "https"
    return f"{scheme}://{hostname if host in _EVERY_ADDRESS else host}:{port}"
