"""Figures for Prometheus, for those who may see them."""

import hmac
from hashlib import sha256
from ipaddress import ip_address
from typing import Final

from starlette.types import Receive, Scope, Send

from edged.api.problem import Code, Problem
from edged.http.answer import Answer
from edged.http.conversation import Conversation
from edged.http.endpoint import bearer, wrong_method
from edged.http.lane import Lane
from edged.http.ports import Exposition

MEDIA: Final = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus' text format, which every version of it reads."""

_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
"""What proxies add: whoever asks through one may be anywhere."""


class MetricsPage:
    """`/metrics`, as an ASGI application. Figures are made in the lane's thread."""

    def __init__(self, exposition: Exposition, lane: Lane) -> None:
        self._exposition = exposition
        self._lane = lane

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; raises Problem."""
        del receive, send
        conversation = Conversation.of(scope)
        conversation.operation = "metrics"
        if conversation.method not in {"GET", "HEAD"}:
            await conversation.answer(wrong_method({"GET": self}))
            return
        self._let_in(conversation)
        text = await self._lane.run(self._exposition.text)
        await conversation.answer(Answer(200, text, MEDIA))

    def _let_in(self, conversation: Conversation) -> None:
        token = self._exposition.token
        if token is None:
            if not _is_of_this_machine(conversation):
                raise Problem(
                    Code.FORBIDDEN,
                    "only programs on this machine see the metrics; for others set `http.metrics.token`",
                )
            return
        offered = bearer(conversation.headers.get("authorization"))
        if not hmac.compare_digest(_digest(offered), _digest(token)):
            raise Problem(Code.UNAUTHORIZED, "this is not the token of `http.metrics.token`")


def _is_of_this_machine(conversation: Conversation) -> bool:
    if any(name in conversation.headers for name in _FORWARDED):
        return False
    try:
        return ip_address(conversation.address).is_loopback
    except ValueError:
        return False


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
