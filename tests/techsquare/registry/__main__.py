"""Many drawn worlds instead of one: `python -m tests.techsquare.registry --runs 20 --seed 1`."""

from __future__ import annotations

import argparse
import tempfile

from techsquare.registry import migrate
from techsquare.registry.store import Registry
from tests.support.postgres import postgres
from tests.techsquare.registry.agreement import agree


def main() -> None:
    """Hold SQL, a row in hand and plain loops against each other, and print what was looked at."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    words = parser.parse_args()
    print("seed  database    reader x row  readable")
    with postgres() as cluster, tempfile.TemporaryDirectory() as folder:
        for seed in range(words.seed, words.seed + words.runs):
            name = cluster.create()
            for url in (f"sqlite:///{folder}/{seed}.db", cluster.url(name)):
                registry = Registry(url)
                migrate.upgrade(registry)
                looked, shown = agree(registry, seed)
                print(f"{seed:4}  {registry.engine.dialect.name:10}  {looked:12}  {shown:8}")
                registry.close()
            cluster.drop(name)


if __name__ == "__main__":
    main()
