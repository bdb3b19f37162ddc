"""`python -m langchain_cascade` is the command `cascade`."""

from cascade_core.cli import main

if __name__ == "__main__":
    main()
