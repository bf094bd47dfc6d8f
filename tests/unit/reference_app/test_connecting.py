"""A server that hangs up before it has said anything refuses, as one does that nobody listens at."""

from __future__ import annotations

import asyncio
import socket
import threading

import pytest
import uvloop
from asyncmy.errors import MySQLError

from reference_app.kit import sql


def test_a_server_that_hangs_up_at_once_refuses_like_one_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        threading.Thread(target=hang_up_on_everybody, args=(server,), daemon=True).start()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # whose transports forget their socket when they are closed
            runner.run(refused_again_and_again(server.getsockname()[1]))


def hang_up_on_everybody(server: socket.socket) -> None:
    while True:
        try:
            caller, _ = server.accept()
        except OSError:
            return
        caller.close()


async def refused_again_and_again(port: int) -> None:
    for _ in range(200):
        with pytest.raises((OSError, MySQLError)):
            await sql.connect(port, user="nobody")
