"""The composition root of monitoring."""

from fastapi import FastAPI

from kanava.common.app import create_service

from . import api, consumers
from .settings import MonitoringSettings


def create_app(settings: MonitoringSettings) -> FastAPI:
    """Build the service: its routes and what it hears."""
    return create_service(settings, routers=[api.router], subscriptions=consumers.SUBSCRIPTIONS)
