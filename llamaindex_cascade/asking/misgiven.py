"""What is said of something that was given as a tier, or as a judge, and cannot be one."""

from __future__ import annotations

from cascade_core.errors import ConfigurationError
from cascade_core.given import check_is_one, is_of
from cascade_core.integrations.decisions import NO_TIER, decision_model


def no_llm(given: object, where: str, *, by_name: bool = False) -> ConfigurationError:
    """Return the error that says what a thing is, and what to give in place of an LLM.

    Args:
        given: What was given.
        where: How an error names it.
        by_name: Whether a name is taken there, too.

    Raises:
        ConfigurationError: It is a class, or a list; says what to give.
    """
    check_is_one(given, where)
    if decision_model(given) is not None:
        hint = NO_TIER
    elif is_of(given, "langchain"):
        hint = (
            "for LangChain there is ChatCascade in langchain_cascade; here, wrap it: "
            "LangChainLLM(llm=…) from llama-index-llms-langchain"
        )
    elif hasattr(given, "query"):
        hint = "use CascadeQueryEngine(tiers=[…]) for query engines"
    elif hasattr(given, "as_query_engine"):
        hint = "give CascadeLLM to it: index.as_query_engine(llm=CascadeLLM(tiers=[…]))"
    else:
        name = ", or its name: 'openai:gpt-4o-mini'" if by_name else ""
        hint = f"give an LLM such as OpenAI(model=…){name}"
    return ConfigurationError(f"{where} is not a LlamaIndex LLM but {type(given).__name__}; {hint}")


def no_synthesizer(given: object, where: str) -> ConfigurationError:
    """Return the same of what is neither an LLM nor a synthesizer."""
    check_is_one(given, where)
    if isinstance(given, str):
        hint = "give an LLM, or its name: 'openai:gpt-4o-mini'"
    elif hasattr(given, "query"):
        hint = "use CascadeQueryEngine(tiers=[…]) for query engines"
    else:
        hint = _of_langchain(given) or "give an LLM, or get_response_synthesizer(llm=…)"
    what = f"{where} is neither an LLM nor a synthesizer but {type(given).__name__}"
    return ConfigurationError(f"{what}; {hint}")


def no_query_engine(given: object, where: str) -> ConfigurationError:
    """Return the same of what is no query engine."""
    check_is_one(given, where)
    if hasattr(given, "as_query_engine"):
        hint = "give its .as_query_engine(llm=…)"
    elif hasattr(given, "retrieve"):
        hint = "give RetrieverQueryEngine.from_args(retriever, llm=…)"
    elif hasattr(given, "complete"):
        hint = "give index.as_query_engine(llm=…), or use CascadeLLM(tiers=[…]) for LLMs"
    elif hasattr(given, "synthesize"):
        hint = "use CascadeSynthesizer(tiers=[…]) for synthesizers"
    else:
        hint = _of_langchain(given) or "give index.as_query_engine(llm=…)"
    return ConfigurationError(f"{where} is not a query engine but {type(given).__name__}; {hint}")


def _of_langchain(given: object) -> str | None:
    if not is_of(given, "langchain"):
        return None
    return "for LangChain's models and chains there is langchain_cascade"
