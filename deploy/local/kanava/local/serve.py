"""`python -m kanava.local.serve SERVICE`: a copy of a service, or the issuer, until it is told to stop.

KANAVA_PORT and KANAVA_HOST say where it listens; everything else is the service's own settings.
"""

import importlib
import os
import sys

import uvicorn
from fastapi import FastAPI

from kanava.common.app import collect_seldom

DRAIN_SECONDS = 10
BACKLOG = 2048


def build(service: str) -> FastAPI:
    """The application, by the service's own wiring and its settings from the environment."""
    if service == "issuer":
        from kanava.local.issuer import app_from_environment

        return app_from_environment()
    settings = importlib.import_module(f"kanava.{service}.settings")
    chosen = getattr(settings, f"{service.capitalize()}Settings")()
    app = importlib.import_module(f"kanava.{service}.main").create_app(chosen)
    assert isinstance(app, FastAPI)
    return app


def main() -> None:
    """Serve the service that the first argument names."""
    app = build(sys.argv[1])
    collect_seldom()
    uvicorn.run(
        app, host=os.environ.get("KANAVA_HOST", "127.0.0.1"),
        port=int(os.environ["KANAVA_PORT"]),
        loop="uvloop", http="httptools", ws="none", lifespan="on", access_log=False, server_header=False,
        proxy_headers=False,
        log_level="warning", timeout_graceful_shutdown=DRAIN_SECONDS, timeout_keep_alive=75, backlog=BACKLOG,
    )  # fmt: skip


if __name__ == "__main__":
    main()
