"""JSON lines: one message, one line."""

import msgspec


def line_of(body: bytes) -> bytes:
    """The body as one line with its end. JSON needs no line breaks: those between its parts are taken out."""
    if b"\n" in body or b"\r" in body:
        body = msgspec.json.format(body, indent=-1)
    return body + b"\n"
