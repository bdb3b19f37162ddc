"""`python -m cascade_core` is the command `cascade`."""

from cascade_core.cli import main

if __name__ == "__main__":
    main()
