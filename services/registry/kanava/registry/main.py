"""The only wiring of the registry."""

from fastapi import FastAPI

from kanava.common.app import create_service

from . import api, consumers
from .settings import RegistrySettings


def create_app(settings: RegistrySettings) -> FastAPI:
    """The registry as an application; nothing is opened before its lifespan starts."""
    return create_service(settings, routers=[api.router], subscriptions=consumers.SUBSCRIPTIONS, workers=[])
