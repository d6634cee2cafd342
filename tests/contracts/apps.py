"""The services' apps and OpenAPI documents, built once a session: building one takes a good part of a second."""

import importlib
from functools import cache
from typing import Any

from fastapi import FastAPI

from kanava.common.contracts import export
from kanava.common.contracts.export import openapi


@cache
def openapi_of(service: str) -> dict[str, Any]:
    """The OpenAPI document of a service, as `export` makes it."""
    return openapi(service)


@cache
def app_of(service: str) -> FastAPI:
    """The app of a service with its development settings; nothing is connected."""
    app: FastAPI = importlib.import_module(f"kanava.{service}.main").create_app(export.settings_of(service))
    return app
