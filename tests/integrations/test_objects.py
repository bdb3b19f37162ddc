"""Objects that LangChain's real integrations make, as drafts and as what is compared with them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from pydantic import BaseModel

from cascade_core import collect_decisions
from cascade_core.signals import Agreement
from tests.integrations.classes import CLASSES, Class
from tests.integrations.scripted import PROTOCOLS, Called, Protocol, Scripted
from tests.integrations.wire import Json, Sent, Wire

pytestmark = pytest.mark.filterwarnings("ignore")

installed = [c for c in CLASSES if c.installed and c.framework == "langchain"]
every = pytest.mark.parametrize("cls", [pytest.param(c, id=c.id) for c in installed])


class Weather(BaseModel):
    """The weather."""

    city: str
    degrees: int


MADE = '{"degrees": 3, "city": "Zürich"}'


@dataclass(frozen=True)
class Making(Scripted):
    """Calls the tool that is offered, or writes the object."""

    @property
    def protocols(self) -> dict[str, Any]:
        return {mark: partial(by_tool, protocol) for mark, protocol in PROTOCOLS.items()}


def by_tool(protocol: Protocol, body: Json, _: Scripted) -> Sent:
    offered = body.get("tools") or (body.get("toolConfig") or {}).get("tools")
    called = Scripted(calls=[Called("Weather", MADE)])
    return protocol(body, called if offered else Scripted(text=MADE))


@every
@pytest.mark.parametrize("role", ["draft", "partner"])
@pytest.mark.parametrize("method", [None, "function_calling"])
async def test_they_agree_however_they_are_made(
    cls: Class, role: str, method: str | None, wire: Wire
) -> None:
    openai = pytest.importorskip("langchain_openai")
    from langchain_cascade import ChatCascade

    wire.ending = Making()
    settings = {"api_key": "none", "base_url": f"{wire.url}/v1", "max_retries": 0}
    other, strong = (openai.ChatOpenAI(model=name, **settings) for name in ("m-2", "m-3"))
    cheap, partner = cls.made(wire.url), other
    if role == "partner":
        cheap, partner = partner, cheap
    llm = ChatCascade([cheap, strong], signals=[Agreement(partner)], on_tool_call="escalate")
    how = {} if method is None else {"method": method}
    with collect_decisions() as seen:
        made = await asyncio.to_thread(llm.with_structured_output(Weather, **how).invoke, "When?")
    assert made == Weather(city="Zürich", degrees=3)
    (record,) = seen
    assert record["judged"][0]["signals"] == {"agreement": 1.0}
    assert record["tier"] == 0
    assert [call["usage"]["output_tokens"] for call in record["calls"]] == [50, 50]
