"""`python -m techsquare.cli`."""

from __future__ import annotations

import sys

from techsquare.cli import main

if __name__ == "__main__":
    sys.exit(main())
