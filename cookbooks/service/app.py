"""A cascade behind HTTP, as many processes as there are machines for.

What the processes share is not in them: decisions and the policy in PostgreSQL, what is spent and
which models are left alone in Redis. One that dies takes nothing with it.

    uvicorn app:app --port 8000
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from cascade_core import Budget, BudgetExceeded, CascadeExhausted, flush_log
from langchain_cascade import ChatCascade

DATABASE = os.environ["DATABASE_URL"]


def model(name: str) -> BaseChatModel:
    """Make a model whose answers are bounded: a budget needs to know the most a call can cost."""
    return init_chat_model(name, max_tokens=400, timeout=30, max_retries=0)


llm = ChatCascade(
    tiers=[model(os.environ["CHEAP_MODEL"]), model(os.environ["STRONG_MODEL"])],
    policy=DATABASE,  # its active version, looked at once a second
    log=DATABASE,
    log_metadata=["tenant"],
    budget=Budget(
        usd=float(os.environ["BUDGET_USD"]), per="day", key="tenant", when_short="refuse"
    ),
    store=os.environ["REDIS_URL"],
    prices=os.environ.get("PRICES"),
)


async def answer(request: Request) -> JSONResponse:
    """Answer `{"text": "…", "tenant": "…"}`; who the tenant is, is to be known before this."""
    try:
        asked = await request.json()
        text, tenant = asked["text"], asked["tenant"]
    except (ValueError, KeyError, TypeError):
        text = tenant = None
    if not (isinstance(text, str) and text.strip() and isinstance(tenant, str) and tenant):
        return JSONResponse({"error": "send a JSON object with the texts text and tenant"}, 400)
    try:
        said = await llm.ainvoke(text, config={"metadata": {"tenant": tenant}})
    except BudgetExceeded as error:
        return JSONResponse({"error": str(error)}, 429)
    except CascadeExhausted as error:
        return JSONResponse({"error": str(error)}, 503)
    decision = said.response_metadata["cascade"]
    told = {name: decision[name] for name in ("id", "model", "reason", "policy_version")}
    return JSONResponse({"answer": said.text, **told})


async def health(_: Request) -> JSONResponse:
    """Say that the process serves; whether models answer is not its health."""
    return JSONResponse({"status": "ok"})


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    """Wait for the log when the process ends."""
    yield
    await asyncio.to_thread(flush_log, 10)


app = Starlette(
    routes=[Route("/answer", answer, methods=["POST"]), Route("/health", health)],
    lifespan=lifespan,
)
