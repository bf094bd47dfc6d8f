"""Listeners are found with the process that holds them."""

from __future__ import annotations

import os
import socket

from reference_app.stack import ports


def port_of(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


def test_a_listener_is_reported_with_its_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = port_of(listener)
        (found,) = ports.listeners([port])
    assert (found.port, found.pid) == (port, os.getpid())
    assert f"held by process {os.getpid()} (" in str(found)


def test_a_listener_on_all_addresses_is_in_the_way_too() -> None:
    with socket.create_server(("0.0.0.0", 0)) as listener:  # noqa: S104 that is the case under test
        assert [found.port for found in ports.listeners([port_of(listener)])] == [port_of(listener)]


def test_a_port_that_was_closed_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = port_of(listener)
    assert ports.listeners([port]) == []


def test_a_holder_that_may_not_be_looked_at_is_said_to_be_another_users() -> None:
    assert str(ports.Listener(80, None, "")) == "held by a process of another user"
