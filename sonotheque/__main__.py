"""``python -m sonotheque`` is the command ``sonotheque``."""

from sonotheque.cli import main

if __name__ == "__main__":
    main()
