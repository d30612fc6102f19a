"""The long version: `python -m tests.techsquare.api --runs 200 --seed 1`: schemathesis against both databases."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter

from techsquare.catalogue.load import load
from techsquare.registry.store import Registry
from techsquare.registry.tables import Base
from tests.support.postgres import postgres
from tests.techsquare.api.stand import Stand
from tests.techsquare.api.storm import storm
from tests.techsquare.registry.agreement import filled


def main() -> int:
    """Run; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, postgres() as cluster:
        for url in (f"sqlite:///{folder}/registry.db", cluster.url(cluster.create())):
            registry = Registry(url)
            Base.metadata.create_all(registry.engine)
            filled(registry, args.seed)
            with Stand(registry, load()) as stand:
                found = storm(stand, args.runs, args.seed)
            registry.close()
            by_status: Counter[int] = Counter()
            for (_, status), count in found.items():
                by_status[status] += count
            print(url.partition(":")[0], sum(found.values()), "requests:", dict(sorted(by_status.items())))
            for name in sorted({name for name, _ in found}):
                told = {status: n for (of, status), n in sorted(found.items()) if of == name}
                print(f"  {name:20} {told}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
