"""How Alembic runs the registry's migrations."""

from kanava.common.migrate import run_from_env

run_from_env()
