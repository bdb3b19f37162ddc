"""Commands that need LangChain, and load it when they run; without it they are not available."""

try:
    import langchain_core  # noqa: F401
except ModuleNotFoundError as error:
    from cascade_core.lazy import not_installed

    raise not_installed(error, __name__, "langchain") from error
