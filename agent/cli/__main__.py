"""`python -m agent.cli` is `tsq-agent`."""

import sys

from agent.cli import main

sys.exit(main())
