"""Who may read a directory of tables: its owner alone, a group of the machine, or everyone. Only its owner writes."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Access:
    """Whose a directory must be, and the modes that it and its tables have.

    Attributes
    ----------
    owner
        User id; ``None`` for the effective user at the time of the call.
    directory_mode, file_mode
        Of the directory and of its tables. No other bits for group and others are accepted.
    group
        Id of the group that the directory and its tables belong to; ``None`` for the owner's own.
    """

    owner: int | None = None
    directory_mode: int = 0o700
    file_mode: int = 0o400
    group: int | None = None

    @property
    def uid(self) -> int:
        """The user id that the directory must belong to."""
        return os.geteuid() if self.owner is None else self.owner

    @property
    def is_mine(self) -> bool:
        """Whether this process may write there."""
        return self.uid == os.geteuid()

    @property
    def is_open(self) -> bool:
        """Whether others may read there, and so lock the tables, too."""
        return self.directory_mode != 0o700


PRIVATE = Access()
EVERYONE = Access(directory_mode=0o755, file_mode=0o444)


def members_of(group: int) -> Access:
    """A directory of one's own that the members of a group may read."""
    return Access(directory_mode=0o750, file_mode=0o440, group=group)


def of_user(uid: int) -> Access:
    """An open directory of this user's, for everyone or for a group: whoever may enter it may read it."""
    return Access(owner=uid, directory_mode=0o755, file_mode=0o444)
