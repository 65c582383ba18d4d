"""The connections that there are, counted while they come."""

import asyncio
import socket

import uvicorn

from edged.http.limits import Limits
from edged.http.server import _Server as Server

AMPLE = 50
"""Turns of the loop after which a connection is let in, or has gone."""


async def _turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def _admitted(between: int) -> int:
    """How many are let in of two, where two may be, the second so many turns of the loop after the first."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        config = uvicorn.Config(lambda: None, lifespan="off", log_config=None)
        config.load()
        server = Server(config, [listener], None, Limits(connections=2))
        server.lifespan = config.lifespan_class(config)
        await server.startup()
        with socket.create_connection(listener.getsockname()):
            await _turns(between)
            with socket.create_connection(listener.getsockname()):
                await _turns(AMPLE)
                admitted = len(server.server_state.connections)
        await _turns(AMPLE)
        await server.shutdown()
        return admitted


def test_a_connection_counts_once_while_it_is_let_in() -> None:
    assert [asyncio.run(_admitted(between)) for between in range(12)] == [2] * 12
