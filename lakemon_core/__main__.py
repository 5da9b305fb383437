"""`python -m lakemon_core` is `lakemon`."""

from lakemon_core.cli.main import main

if __name__ == "__main__":
    main()
