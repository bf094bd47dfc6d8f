"""Packet rules where they act, in a network of their own: nothing of this machine's is touched."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from chaos import firewall
from reference_app.contract.topology import SMALL, Lab, components
from reference_app.kit import files
from reference_app.kit.home import HOME_VARIABLE, REPOSITORY, Home

CONNECTING = """
import asyncio, socket, sys
from chaos.faults.network import SynDrop
from reference_app.kit.home import Home
from reference_app.stack import questions

home, fault = Home.from_environment(), SynDrop("tweet-cache-0", sham=sys.argv[1] == "sham", watchers=sys.argv[1] == "watchers")
cache = home.lab().component(fault.component)
listening = socket.create_server(("127.0.0.1", cache.port))
fault.apply(home)

async def question():
    async with asyncio.timeout(0.1):
        (await questions._connect(cache.port)).close()

def hangs(connect):
    try:
        connect()
    except TimeoutError:
        return True
    return False

asked = hangs(lambda: asyncio.run(question())), fault.measured(home)["packets"]
requested = hangs(lambda: socket.create_connection(("127.0.0.1", cache.port), timeout=0.1).close()), fault.measured(home)["packets"]
print(*asked, *requested)
"""
IN_ITS_OWN_NETWORK = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]


def _possible() -> bool:
    return not firewall.why_not() and subprocess.run([*IN_ITS_OWN_NETWORK, "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not _possible(), reason="no packet rules, or no network of one's own, here")
@pytest.mark.parametrize(("how", "told"), [("real", "True 0 True 1"), ("sham", "False 0 False 1"), ("watchers", "True 1 True 2")])
def test_requests_for_connections_are_counted_and_questions_of_the_lab_where_they_are_meant(tmp_path: Path, how: str, told: str) -> None:
    home = Home(tmp_path)
    files.write_json(home.lab_file, Lab(str(tmp_path), "small", 29_900, components(SMALL, 29_900), "key", "password"))
    done = subprocess.run(
        [*IN_ITS_OWN_NETWORK, sys.executable, "-c", CONNECTING, how], cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=30,
        env={HOME_VARIABLE: str(home.path), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )  # fmt: skip
    assert done.stdout.strip() == told, done.stderr
