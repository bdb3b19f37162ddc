"""What `store=` takes, and what it says of what it does not."""

from __future__ import annotations

import pickle
import sys

import pytest
import redis

from cascade_core import ConfigurationError, RedisStore
from cascade_core.errors import MissingPackageError
from cascade_core.guards.redis_link import link_of
from cascade_core.guards.store import open_store

SECRET = "hunter2"


def test_an_address_carries_what_else_there_is_to_say() -> None:
    store = RedisStore(
        f"rediss://me:{SECRET}@host:7000/3?prefix=shop&lease=60&timeout=0.2&when_down=allow"
        "&client_name=app"
    )
    assert (store.prefix, store.lease, store.timeout) == ("shop", 60, 0.2)
    assert store.when_down == "allow"
    pool = store.connect().connection_pool
    assert pool.connection_kwargs["client_name"] == "app"
    assert pool.connection_kwargs["host"] == "host"
    assert pool.connection_kwargs["db"] == 3
    assert pool.connection_kwargs["password"] == SECRET
    assert pool.connection_kwargs["socket_timeout"] == 0.2


def test_a_sockets_address_keeps_its_path() -> None:
    pool = RedisStore("unix:///run/redis/redis.sock?db=2&prefix=a").connect().connection_pool
    assert pool.connection_kwargs["path"] == "/run/redis/redis.sock"
    assert pool.connection_kwargs["db"] == 2


def test_a_password_is_never_shown() -> None:
    store = RedisStore(f"redis://me:{SECRET}@host/0?password={SECRET}")
    assert SECRET not in repr(store) + str(store) + store.shown
    assert "host" in store.shown


def test_a_store_crosses_to_another_process() -> None:
    store = RedisStore("redis://host/0?lease=5")
    assert pickle.loads(pickle.dumps(store)) == store


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (f"http://me:{SECRET}@host", "give redis://host:6379/0"),
        ("localhost:6379", "give redis://host:6379/0"),
        (6379, "not int"),
        ("redis://host/0?lease=0", "lease=0"),
        ("redis://host/0?lease=soon", "lease='soon': give seconds"),
        ("redis://host/0?timeout=-1", "timeout=-1"),
        ("redis://host/0?prefix=a%20b", "prefix"),
        ("redis://host/0?when_down=panic", "'refuse' or 'allow'"),
        (f"redis://me:{SECRET}@host/0?colour=red", "after ?, prefix, lease, timeout"),
        (f"redis://me:{SECRET}@host:port/0", "does not take this address"),
        ("redis://host/0?db=first", "does not take this address"),
        (f"redis://me:{SECRET}@host/desk", "/desk is no number of a database"),
        ("rediss://host/0?ssl_cert_reqs=perhaps", "does not take this address"),
    ],
)
def test_what_cannot_work_is_said_at_once(given: object, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_store(given)
    assert said in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'model-cascade\[redis\]'"):
        RedisStore("redis://host/0")


def test_a_client_is_taken_as_it_is() -> None:
    client = redis.Redis(host="nowhere.invalid", password=SECRET)
    store = open_store(client)
    assert store is not None
    assert store.connect() is client
    assert SECRET not in repr(store) + store.shown


def test_a_process_has_one_link_for_each_address() -> None:
    one = link_of(RedisStore("redis://nowhere.invalid/0?prefix=one"))
    assert link_of(RedisStore("redis://nowhere.invalid/0", prefix="one")) is one
    assert link_of(RedisStore("redis://nowhere.invalid/0", prefix="two")) is not one
