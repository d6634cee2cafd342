"""Settings that every service has: read from the environment, each with its meaning and unit."""

from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from .seal import EncodedKey

DEVELOPMENT_SESSION_KEY = "ZGV2ZWxvcG1lbnQtb25seS1zZXNzaW9uLWtleS0wMDE="
DEVELOPMENT_DATABASE_URL = "postgresql://kanava:kanava@127.0.0.1:5432/kanava"
OWN_PORTS = {"http": 80, "https": 443}
"""Schemes of pages, each with the port that browsers leave out of an origin."""


class ServiceSettings(BaseSettings):
    """What every service is told by `KANAVA_…` variables; a service subclasses it and names itself.

    A field with `json_schema_extra={"secret": True}` may keep its default in development only.
    """

    # What is refused is said in a log, so without the values: among them are keys and passwords.
    model_config = SettingsConfigDict(env_prefix="KANAVA_", extra="ignore", frozen=True, hide_input_in_errors=True)

    service: str = Field(title="Service", description="Name of the service in logs, traces and topics.")
    environment: Literal["development", "production"] = Field(
        default="development",
        title="Environment",
        description="Outside development default secrets are refused.",
    )
    sandbox: bool = Field(
        default=False,
        title="Sandbox",
        description="Whether the operator moves the clock. Never in production.",
    )
    instance: str = Field(
        default="1", title="Instance", description="Name of this copy of the service in logs and metrics."
    )
    port: int = Field(default=8000, ge=1, le=65535, title="Port", description="TCP port that HTTP is served on.")
    database_url: str = Field(
        default=DEVELOPMENT_DATABASE_URL,
        repr=False,
        title="Database",
        description="Address of the service's own PostgreSQL database, with the application's role.",
        json_schema_extra={"secret": True},
    )
    database_pool_size: int = Field(
        default=16, ge=1, le=200, title="Database pool", description="Most connections of this process."
    )
    kafka: str = Field(
        default="127.0.0.1:9092",
        title="Kafka",
        description="Bootstrap servers: host:port, separated by commas.",
    )
    issuer: str = Field(
        default="http://127.0.0.1:8099",
        title="Issuer",
        description="The `iss` that tokens must have (OpenID Connect).",
    )
    jwks_url: str = Field(
        default="http://127.0.0.1:8099/jwks.json",
        title="Keys",
        description="Where the issuer's public keys are.",
    )
    audience: str = Field(default="kanava", title="Audience", description="The `aud` that tokens must have.")
    token_cache_size: int = Field(
        default=16_384, ge=0, title="Token cache", description="Most verified tokens kept, in tokens."
    )
    otlp_endpoint: str | None = Field(
        default=None,
        title="Traces",
        description="OTLP address (HTTP) that spans are sent to; none sends none.",
    )
    trace_file: str | None = Field(
        default=None,
        title="Trace file",
        description="File that spans are added to as lines of JSON, for tests.",
    )
    trace_ratio: float = Field(
        default=1.0,
        ge=0,
        le=1,
        title="Trace ratio",
        description="Share of new traces that are kept, from 0 to 1.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", title="Log level", description="Lines below it are not written."
    )
    body_limit_bytes: int = Field(
        default=1_000_000,
        ge=1,
        title="Body limit",
        description="Largest request body where a route says no other, bytes.",
    )
    page_limit: int = Field(default=500, ge=1, title="Page limit", description="Most rows of one page, in rows.")
    relay_batch: int = Field(
        default=5_000,
        ge=1,
        le=10_000,
        title="Relay batch",
        description="Most outbox rows published at once, in rows.",
    )
    relay_poll_seconds: float = Field(
        default=0.2,
        gt=0,
        title="Relay poll",
        description="Pause of the relay when nothing was unsent, seconds.",
    )

    @property
    def is_production(self) -> bool:
        """Whether this process serves real people."""
        return self.environment == "production"

    @model_validator(mode="after")
    def _refuse_what_is_for_development(self) -> Self:
        if not self.is_production:
            return self
        if self.sandbox:
            raise ValueError("sandbox mode is not for production: unset KANAVA_SANDBOX")
        if kept := [name for name in self.secret_fields() if self._is_default(name)]:
            variables = ", ".join(f"KANAVA_{name.upper()}" for name in sorted(kept))
            raise ValueError(f"default secrets are not for production: set {variables}")
        return self

    @classmethod
    def secret_fields(cls) -> frozenset[str]:
        """Names of the fields whose value nobody else may know."""
        marked = {name: field.json_schema_extra for name, field in cls.model_fields.items()}
        return frozenset(name for name, extra in marked.items() if isinstance(extra, dict) and extra.get("secret"))

    def _is_default(self, name: str) -> bool:
        field = type(self).model_fields[name]
        return not field.is_required() and getattr(self, name) == field.get_default(call_default_factory=True)


class PageSettings(ServiceSettings):
    """What a service that serves pages to browsers is told besides."""

    public_url: str | None = Field(
        default=None,
        title="Public address",
        description="Where browsers find this service: scheme, host and port. Outside development it must be named.",
    )
    client_id: str = Field(
        default="kanava", title="Client", description="What the service is called at the issuer when people sign in."
    )
    discovery_url: str | None = Field(
        default=None,
        title="Discovery",
        description="Where the issuer's OpenID Connect configuration is; by default below the issuer.",
    )
    session_key: EncodedKey = Field(
        default=DEVELOPMENT_SESSION_KEY,
        repr=False,
        title="Session key",
        description="AES-256 key that seals the cookies of browsers: 32 bytes in base64, the same for all copies.",
        json_schema_extra={"secret": True},
    )

    @field_validator("public_url")
    @classmethod
    def _is_an_origin(cls, value: str | None) -> str | None:
        return value if value is None else _origin(value)

    @model_validator(mode="after")
    def _names_its_address(self) -> Self:
        if self.is_production and self.public_url is None:
            raise ValueError("browsers must find a service in production: set KANAVA_PUBLIC_URL")
        here = urlsplit(self.origin)
        if self.is_production and here.scheme != "https" and here.hostname != "localhost":
            raise ValueError("cookies need https in production: set KANAVA_PUBLIC_URL to such an address")
        return self

    @property
    def origin(self) -> str:
        """The origin of this service as browsers write it."""
        return self.public_url or f"http://127.0.0.1:{self.port}"

    @property
    def configuration_url(self) -> str:
        """Where the issuer says what its endpoints are."""
        return self.discovery_url or f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"


def _origin(address: str) -> str:
    """An address as browsers write the origin of its pages; `ValueError` for one that says more or less than that."""
    parts = urlsplit(address)
    has_more = bool(parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if parts.scheme not in OWN_PORTS or not host or has_more:
        raise ValueError("a public address is a scheme, a host and a port")
    named = f"[{host}]" if ":" in host else host
    return (
        f"{parts.scheme}://{named}" if port in (None, OWN_PORTS[parts.scheme]) else f"{parts.scheme}://{named}:{port}"
    )
