"""`python -m chaos.proxy PORT`: the fault proxy of a lab, its API on that port of this machine."""

from __future__ import annotations

import argparse

import uvicorn

from chaos.proxy.api import Endpoints
from chaos.proxy.registry import Registry


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(description="TCP fault proxy with Toxiproxy's HTTP API, on loopback.")
    parser.add_argument("port", type=int, help="port of the API")
    parser.add_argument("--seed", type=int, default=0, help="decides which connections meet a toxic")
    parser.add_argument("--mark", type=int, default=0, help="packet mark of connections to the upstream (needs root)")
    given = parser.parse_args()
    app = Endpoints(Registry(seed=given.seed, mark=given.mark)).app()
    uvicorn.run(app, host="127.0.0.1", port=given.port, loop="uvloop", log_level="warning", access_log=False, lifespan="off")


if __name__ == "__main__":
    main()
