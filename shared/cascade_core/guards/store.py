"""Where machines share budgets and breakers: the setting `store=`.

Nothing is connected to here: constructing a cascade never waits for a server. A password in an
address is never shown.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from cascade_core.errors import ConfigurationError
from cascade_core.lazy import not_installed
from cascade_core.log.urls import is_url, without_password
from cascade_core.named_arguments import names_checked

if TYPE_CHECKING:
    from redis import Redis

WhenDown: TypeAlias = Literal["refuse", "allow"]
"""What becomes of calls under a budget while the store does not answer: they are refused, or every
process goes on alone, within what it knows to be left."""

SCHEMES = ("redis", "rediss", "unix")
_FORMS = "redis://host:6379/0, rediss://… or unix:///path"
_OWN = ("prefix", "lease", "timeout", "when_down")
_PREFIX = re.compile(r"[\w.:/-]{1,100}", re.ASCII)


@names_checked
@dataclass(frozen=True, slots=True)
class RedisStore:
    """A Redis server that holds what budgets have spent, what is left alone, and what is held to.

    The address may carry the other arguments:
    `redis://host:6379/0?prefix=shop&lease=60&timeout=0.2&when_down=allow`.

    Args:
        address: A `redis://`, `rediss://` or `unix://` address, as redis-py reads it; or a
            `redis.Redis` or `redis.RedisCluster` client, whose own time limits then hold.
        prefix: What all keys begin with, in braces, so that a cluster keeps them together.
            Applications that share a server without sharing budgets have one each.
        lease: Seconds after which what a process had set aside is freed (its call had not begun) or
            counted as spent (it had), when the process died. Living processes renew theirs, however
            long a call takes.
        timeout: Seconds that a request waits for the server at the most, per command.
        when_down: What happens while it does not answer; see `WhenDown`.

    Raises:
        ConfigurationError: An argument is none of these.
        MissingPackageError: redis-py is not installed.
    """

    address: str | Redis = field(repr=False)
    prefix: str = "cascade"
    lease: float = 30.0
    timeout: float = 0.5
    when_down: WhenDown = "refuse"

    def __post_init__(self) -> None:
        """Check the arguments, and read those in the address."""
        if isinstance(self.address, str):
            self._read_address(self.address)
        elif not callable(getattr(self.address, "register_script", None)):
            kind = type(self.address).__name__
            msg = f"store= takes an address such as {_FORMS}, or a redis.Redis client, not {kind}"
            raise ConfigurationError(msg)
        if not isinstance(self.prefix, str) or not _PREFIX.fullmatch(self.prefix):
            msg = "store=: give a prefix of at most 100 letters, digits and . _ - : /"
            raise ConfigurationError(msg)
        for name in ("lease", "timeout"):
            value = getattr(self, name)
            if not (isinstance(value, int | float) and math.isfinite(value) and value > 0):
                raise ConfigurationError(f"store=: {name}={value!r}: give seconds above 0")
        if self.when_down not in get_args(WhenDown):
            said = " or ".join(map(repr, get_args(WhenDown)))
            raise ConfigurationError(f"store=: when_down={self.when_down!r}: give {said}")
        import_redis()

    def _read_address(self, address: str) -> None:
        if not is_url(address) or urlsplit(address).scheme not in SCHEMES:
            shown = without_password(address) if is_url(address) else repr(address)
            raise ConfigurationError(f"store= does not know {shown}: give {_FORMS}")
        parts = urlsplit(address)
        rest = []
        for name, text in parse_qsl(parts.query, keep_blank_values=True):
            if name not in _OWN:
                rest.append((name, text))
            elif name in {"lease", "timeout"}:
                object.__setattr__(self, name, _seconds(text))
            else:
                object.__setattr__(self, name, text)
        bare = urlunsplit(parts._replace(query=urlencode(rest)))
        if parts.scheme == "unix" and not bare.startswith("unix://"):  # no host, so no strokes
            bare = f"unix://{bare.removeprefix('unix:')}"
        object.__setattr__(self, "address", bare)

    @property
    def shown(self) -> str:
        """The address without what is secret in it, as errors and warnings say it."""
        if isinstance(self.address, str):
            return without_password(self.address)
        return f"a {type(self.address).__name__} client"

    def connect(self) -> Any:
        """Return a client; it connects when it is first used.

        Raises:
            ConfigurationError: The address has something that redis-py does not take.
        """
        if not isinstance(self.address, str):
            return self.address
        self._check_database(self.address)
        redis = import_redis()
        from redis.backoff import NoBackoff  # noqa: PLC0415 - loaded where it is used
        from redis.retry import Retry  # noqa: PLC0415

        try:
            client = redis.Redis.from_url(
                self.address,
                socket_timeout=self.timeout,
                socket_connect_timeout=self.timeout,
                # A connection that the server closed meanwhile is opened anew; what took too long
                # is not tried again.
                retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
            )
            pool = client.connection_pool
            pool.connection_class(**pool.connection_kwargs)  # reads the arguments; connects nowhere
        except (TypeError, ValueError, redis.RedisError) as error:
            msg = f"store={self.shown}: redis-py does not take this address: give {_FORMS}"
            if urlsplit(self.address).query:
                msg += f"; after ?, {', '.join(_OWN)} and what redis-py knows"
            raise ConfigurationError(msg) from error
        return client

    def _check_database(self, address: str) -> None:
        parts = urlsplit(address)
        number = parts.path.strip("/")
        if parts.scheme == "unix" or not number or number.isdecimal():
            return
        # redis-py would take database 0 without a word.
        msg = f"store={self.shown}: /{number} is no number of a database: give redis://host:6379/0"
        raise ConfigurationError(f"{msg}; a name goes into ?prefix=")

    def __str__(self) -> str:
        """Show the address."""
        return self.shown


def open_store(given: Any) -> RedisStore | None:
    """Read the `store=` argument of a cascade.

    Args:
        given: None, an address, a client or a `RedisStore`.

    Raises:
        ConfigurationError: It is none of these.
        MissingPackageError: redis-py is not installed.
    """
    if given is None:
        return None
    store = given if isinstance(given, RedisStore) else RedisStore(given)
    store.connect()
    return replace(store)


def import_redis() -> Any:
    """Return redis-py.

    Raises:
        MissingPackageError: It is not installed.
    """
    try:
        import redis  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise not_installed(error, "store=", "redis") from error
    return redis


def _seconds(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text  # which is said to be none
