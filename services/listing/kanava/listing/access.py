"""Who may see which resident: the resident all, the organiser its area without identity, the operator
listings."""

from uuid import UUID

from psycopg.rows import DictRow

from kanava.common.auth import Caller, Role
from kanava.common.db import Tx
from kanava.common.errors import Forbidden

from . import views
from .errors import UnknownResident
from .vault import Vault


async def resident_for(tx: Tx, caller: Caller, resident_id: UUID, vault: Vault) -> views.ResidentView:
    """A resident as the caller may see it; `Forbidden` or `UnknownResident` otherwise."""
    row = await _seen(tx, caller, resident_id)
    if caller.role is Role.RESIDENT:
        return views.ResidentView(**row, identity=await views.identity(tx, resident_id, vault))
    hidden = {"guardian_id": None} | ({"municipality": None} if row["protected"] else {})
    return views.ResidentView(**(row | hidden))


async def must_see_listing(tx: Tx, caller: Caller, resident_id: UUID) -> None:
    """`Forbidden` or `UnknownResident` unless the caller may see where this resident is listed.

    Where a protected person (turvakielto) is listed is seen by the person alone.
    """
    row = await _seen(tx, caller, resident_id)
    if row["protected"] and caller.role is not Role.RESIDENT:
        raise Forbidden("the resident is under a safety prohibition", rule="protected")


async def must_see_vouchers(tx: Tx, caller: Caller, resident_id: UUID) -> None:
    """`Forbidden` or `UnknownResident` unless the caller is the resident or organises its area."""
    await _seen(tx, caller, resident_id)


async def _seen(tx: Tx, caller: Caller, resident_id: UUID) -> DictRow:
    if caller.role is Role.RESIDENT:
        caller.must_be_resident(resident_id)
    row = await views.resident_row(tx, resident_id)
    if row is None:
        raise UnknownResident
    if caller.role is not Role.RESIDENT:
        caller.must_be_in_area(row["area"])
    return row
