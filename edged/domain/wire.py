"""What every structure on the wire has in common."""

from typing import Final

import msgspec

EDGE_SCHEMA: Final = 1
"""Version of everything that is ours on the wire; counts up when a reader could misread it."""


class Wire(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """Spelled in camelCase; what has its default is absent, so that nothing is ever null."""
