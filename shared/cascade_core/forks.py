"""Locks that a forked child finds free.

A child is a copy of its parent with one thread only: a lock that another thread held at that
moment stays held in the child for ever. What a lock guards here is whole at any moment, so a
child simply gets new ones.
"""

from __future__ import annotations

import os
from threading import Lock, RLock
from typing import Any
from weakref import WeakKeyDictionary

_REENTRANT = type(RLock())
_holders: WeakKeyDictionary[Any, str] = WeakKeyDictionary()


def free_in_child(holder: Any, name: str = "_lock") -> None:
    """Have an object's lock, or a module's, made anew in every forked child.

    Args:
        holder: What has the lock; it is not kept alive by this. Its method `forked`, if it has
            one, is called in the child: what threads of the parent were doing ends nowhere there.
        name: The attribute that the lock is.
    """
    _holders[holder] = name


def _renew() -> None:
    for holder, name in list(_holders.items()):
        reentrant = isinstance(getattr(holder, name), _REENTRANT)
        setattr(holder, name, RLock() if reentrant else Lock())
        forget = getattr(holder, "forked", None)
        if forget is not None:
            forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
