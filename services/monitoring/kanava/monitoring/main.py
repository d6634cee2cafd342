"""The composition root of monitoring."""

from fastapi import FastAPI

from kanava.common.app import create_service

from . import api, api_snapshots, consumers
from .settings import MonitoringSettings


def create_app(settings: MonitoringSettings) -> FastAPI:
    """Build the service: its routes and what it hears."""
    routers = [api.router, api_snapshots.router]
    return create_service(settings, routers=routers, subscriptions=consumers.SUBSCRIPTIONS)
