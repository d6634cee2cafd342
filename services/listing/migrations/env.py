"""Alembic's entry: the shape and the connection come from kanava.common.migrate."""

from kanava.common.migrate import run_from_env

run_from_env()
