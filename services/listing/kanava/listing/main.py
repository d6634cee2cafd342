"""The only wiring of listing."""

from fastapi import FastAPI

from kanava.common.app import create_service
from kanava.common.clock import SandboxClock, SystemClock
from kanava.common.groupcommit import GroupCommit

from . import api, consumers
from .service.choices import place_choices
from .settings import ListingSettings


def create_app(settings: ListingSettings) -> FastAPI:
    """Listing as an application; nothing is opened before its lifespan starts."""
    vault = settings.vault()
    clock = SandboxClock() if settings.sandbox else SystemClock()
    app = create_service(
        settings,
        routers=[api.router],
        subscriptions=consumers.subscriptions(vault, clock),
        workers=[],
    )
    app.state.vault = vault
    app.state.choices = GroupCommit(place_choices, apart=lambda one: one.resident_id)
    return app
