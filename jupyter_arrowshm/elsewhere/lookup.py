"""Which place a word means: ``everyone``, ``group:students``, a configured name, a user, or an address."""

from __future__ import annotations

import difflib
import os

from ..errors import PlaceFailed, PlaceNotFound
from . import configuration, openstores
from .cluster import SCHEME, Cluster
from .folder import Folder, is_address
from .protocol import LOADED, Place, Places

EVERYONE = "everyone"


def place(name: str) -> Place:
    """The place that is called so.

    Parameters
    ----------
    name
        ``"everyone"`` or ``"group:students"`` (your tables that others may read), a name of
        ``c.ArrowSHM.places``, the name of a user (tables that this user lets you read), or an
        address: ``"s3://bucket/tables"``, ``"/srv/course"``, ``"ray://"`` for the Ray cluster that this process or
        machine is in, ``"ray://head:6379"`` for another.

    Raises
    ------
    PlaceNotFound
    PlaceFailed
        Sharing with other users is switched off here, or you are not in that group.
    """
    known = configuration.places()
    if name in known:
        return _at(name, known[name])
    if is_address(name):
        return _at(name, name)
    if name == EVERYONE or name.startswith(openstores.GROUP):
        _check_allowed(name)
        return openstores.everyone() if name == EVERYONE else openstores.of_group(name.removeprefix(openstores.GROUP))
    uid = _user_id(name)
    if uid is None:
        every = [one.name for one in places()] + [EVERYONE]
        raise PlaceNotFound(name, tuple(difflib.get_close_matches(name, every, n=3)))
    _check_allowed(name)
    return openstores.everyone() if uid == os.geteuid() else openstores.UserStores(uid)


def places() -> Places:
    """The places that there are: yours that others may read, other users' that you may read, and the configured ones.

    No bucket is asked. Prints as a table.
    """
    found: list[Place] = []
    if configuration.allows_open_places():
        found += [*openstores.own(), *openstores.others()]
    found += [_at(name, address) for name, address in sorted(configuration.places().items())]
    return Places(found)


def targets() -> Places:
    """Where this user can share: with everyone, with a group, in what is configured. No place is asked."""
    found: list[Place] = []
    if configuration.allows_open_places():
        found += openstores.readers()
    return Places([*found, *(one for one in places() if one.kind in LOADED)])


def _at(name: str, address: str) -> Place:
    return Cluster(name, address) if address.startswith(SCHEME) else Folder(name, address)


def _check_allowed(name: str) -> None:
    if not configuration.allows_open_places():
        raise PlaceFailed(
            name, "cannot be used: tables are not shared among users here", "Its administrator has switched that off."
        )


def _user_id(name: str) -> int | None:
    import pwd

    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        # Containers have users without names.
        return int(name) if name.isdecimal() else None
