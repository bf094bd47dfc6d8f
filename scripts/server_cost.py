"""CPU of one small request at a drill's rate: uvicorn beside granian's embedded server (docs/adr/0002).

`python scripts/server_cost.py` in an environment that has granian, too. The server has core 0, the client core 1; A B B A, 400 requests/s.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from reference_app.contract.topology import Component
from reference_app.kit import http

PORT, RATE, SECONDS = 18990, 400, 6
APP = """
import uvloop
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
async def hello(request):
    return Response(await request.body(), media_type="application/json")
app = Starlette(routes=[Route("/", hello, methods=["POST"])])
"""
SERVERS = {
    "uvicorn": f"import uvicorn; uvicorn.run(app, port={PORT}, http='httptools', lifespan='off', log_config=None, access_log=False)",
    "granian": "from granian.server.embed import Server\n"
    f"async def main(): await Server(app, port={PORT}, interface='asginl', log_enabled=False).serve()\nuvloop.run(main())",
}


async def load() -> None:
    """A Poisson stream of requests."""
    client, rng, due = http.Client(Component("server", "service", "server", 0, PORT)), random.Random(1), time.perf_counter()
    calls = []
    for _ in range(RATE * SECONDS):
        due += rng.expovariate(RATE)
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        calls.append(asyncio.create_task(client.call("POST", "/", route="/", body=b'{"ids":[1,2,3]}', limit=2)))
    await asyncio.gather(*calls)


def microseconds(name: str) -> float:
    """CPU microseconds of the server per request."""
    server = subprocess.Popen([sys.executable, "-c", APP + SERVERS[name]])
    try:
        os.sched_setaffinity(server.pid, {0})
        time.sleep(2)
        before = _cpu_s(server.pid)
        asyncio.run(load())
        return (_cpu_s(server.pid) - before) * 1e6 / (RATE * SECONDS)
    finally:
        server.kill()
        server.wait()


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    os.sched_setaffinity(0, {1})
    for server_name in ("uvicorn", "granian", "granian", "uvicorn"):
        sys.stdout.write(f"{server_name}: {microseconds(server_name):.0f} us of CPU per request\n")
