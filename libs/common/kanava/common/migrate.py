"""Bring a service's database to its newest shape, and grant its application role what each table allows.

The owner role runs the migrations; the application role owns nothing. What it may do with a table stands in
the table's `info["grants"]`, all four verbs where nothing is said.
"""

import importlib
from pathlib import Path

import sqlalchemy as sa
from alembic import command, context, op
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

DEFAULT_GRANTS = "SELECT, INSERT, UPDATE, DELETE"


def sqlalchemy_url(database_url: str) -> str:
    """The address of a database as SQLAlchemy's psycopg driver wants it."""
    return database_url.replace("postgresql://", "postgresql+psycopg://", 1)


def metadata_of(service: str) -> sa.MetaData:
    """The tables of a service, as declared in its `tables.py`."""
    metadata = importlib.import_module(f"kanava.{service}.tables").Base.metadata
    assert isinstance(metadata, sa.MetaData)
    return metadata


def _config(service: str, database_url: str) -> Config:
    package = importlib.import_module(f"kanava.{service}")
    folder = Path(str(package.__file__)).resolve().parents[2] / "migrations"
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes.update(service=service, url=sqlalchemy_url(database_url))
    return config


def upgrade(service: str, owner_url: str, app_role: str) -> None:
    """Run the migrations that are missing, forward only, and grant the application role its rights."""
    command.upgrade(_config(service, owner_url), "head")
    engine = sa.create_engine(sqlalchemy_url(owner_url))
    with engine.begin() as connection:
        for table in metadata_of(service).sorted_tables:
            grants = table.info.get("grants", DEFAULT_GRANTS)
            connection.execute(sa.text(f'REVOKE ALL ON "{table.name}" FROM "{app_role}"'))
            connection.execute(sa.text(f'GRANT {grants} ON "{table.name}" TO "{app_role}"'))
        connection.execute(sa.text(f'GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO "{app_role}"'))
    engine.dispose()


def revision(service: str, owner_url: str, message: str) -> None:
    """Write a new migration from the difference between the tables and the database, to be read and completed."""
    command.revision(_config(service, owner_url), message, autogenerate=True)


def differences(service: str, owner_url: str) -> list[object]:
    """How the database differs from the declared tables; empty when the migrations are complete."""
    engine = sa.create_engine(sqlalchemy_url(owner_url))
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), metadata_of(service))
    engine.dispose()
    return list(found)


_QUEUE = """
CREATE TABLE outbox_unsent (shard smallint, id bigint, PRIMARY KEY (shard, id));
CREATE TABLE outbox_sent (topic text PRIMARY KEY, published bigint NOT NULL);
INSERT INTO outbox_unsent SELECT shard, id FROM outbox WHERE sent_at IS NULL;
INSERT INTO outbox_sent SELECT topic, count(*) FROM outbox WHERE sent_at IS NOT NULL GROUP BY topic;
DROP INDEX outbox_unsent_index;
ALTER TABLE outbox DROP COLUMN sent_at;
CREATE FUNCTION queue_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outbox_unsent (shard, id) SELECT shard, id FROM said;
    RETURN NULL;
END $$;
CREATE TRIGGER queue_outbox AFTER INSERT ON outbox REFERENCING NEW TABLE AS said
    FOR EACH STATEMENT EXECUTE FUNCTION queue_outbox();
"""


def queue_the_outbox() -> None:
    """A step of each service's migrations: what is unsent moves to a queue of its own, and the outbox is append-only.

    Marking a fact as sent used to copy its whole row. Migrations that ran are history, so this text stays as it is.
    """
    op.execute("ALTER INDEX outbox_unsent RENAME TO outbox_unsent_index")
    op.execute(_QUEUE)


def run_from_env() -> None:
    """What each service's `migrations/env.py` calls."""
    attributes = context.config.attributes
    engine = sa.create_engine(attributes["url"])
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=metadata_of(attributes["service"]))
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()
