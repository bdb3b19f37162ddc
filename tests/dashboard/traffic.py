"""A program with a few cascades that serves its metrics to Prometheus, and asks until its input ends.

It prints the port. All that the dashboard shows happens to its requests.
"""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from itertools import count
from tempfile import mkdtemp
from typing import Any

from langchain_core.messages import BaseMessage
from opentelemetry import metrics
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import start_http_server

from cascade_core import Audit, CascadeExhausted, flush_log
from cascade_core.log.policies import PolicyStore
from cascade_core.policy.document import Policy
from langchain_cascade import ChatCascade
from tests.langchain.fakes import FakeChat, ProviderError, Say

PRICES = {"cheap": {"input": 10, "output": 20}, "strong": {"input": 1000, "output": 2000}}


def script(place: int) -> Any:
    """What a tier says: sure of some, unsure of others, and down now and then."""

    def say(messages: list[BaseMessage], _: dict[str, Any]) -> Say:
        number = int(messages[-1].text.split()[0])
        if number % 7 == 6 or (number % 5 == 4 and place == 0):
            return Say(error=ProviderError("down", 503))
        return Say(f"{number if number % 11 else place}", p=0.99 if number % 3 else 0.2)

    return say


def main() -> None:
    metrics.set_meter_provider(MeterProvider([PrometheusMetricReader()]))
    server, _ = start_http_server(0, "127.0.0.1")
    log = f"sqlite:///{mkdtemp()}/decisions.db"
    cheap, strong = (FakeChat(script(i), model_name=name) for i, name in enumerate(PRICES))
    settings: Any = {"prices": PRICES, "log": log, "audit": Audit(0.5, max_usd_per_day=100)}
    policies = PolicyStore(log, create=True)
    policies.activate(policies.save(Policy(thresholds=(0.9,)))[0])
    unpriced = FakeChat(script(0), model_name="house")
    cascades = [
        ChatCascade(tiers=[cheap, strong], name="desk", thresholds=[0.9, 0.8], **settings),
        ChatCascade(tiers=[cheap, strong], name="shop", policy=log, **settings),
        ChatCascade(tiers=[unpriced, strong], name="lab", **settings),
    ]
    refused = FakeChat(Say(error=ProviderError("no key", 401)), model_name="refused")
    keyless = ChatCascade(tiers=[refused, FakeChat(Say("yes"))], name="keyless")
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    for number in count():
        cascade = cascades[number % 3]
        with suppress(CascadeExhausted):
            cascade.invoke(str(number), {"metadata": {"cascade_class": "geo"}})
        if number % 10 == 0:
            keyless.invoke("Are you there?")
            with suppress(CascadeExhausted):
                left = cascade.stream("1 2 3")
                next(left)
                left.close()
        if number == 200:
            flush_log()
            sys.stdout.write(f"{server.server_port}\n")
            sys.stdout.flush()
        if number > 200 and ended.wait(0.02):
            break
    flush_log()


if __name__ == "__main__":
    main()
