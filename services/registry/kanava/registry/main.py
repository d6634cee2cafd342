"""The only wiring of the registry."""

from fastapi import FastAPI

from kanava.common.app import create_service

from . import api, api_steering, consumers
from .settings import RegistrySettings


def create_app(settings: RegistrySettings) -> FastAPI:
    """The registry as an application; nothing is opened before its lifespan starts."""
    routers = [api.router, api_steering.router]
    return create_service(settings, routers=routers, subscriptions=consumers.SUBSCRIPTIONS, workers=[])
