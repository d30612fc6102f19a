"""The long version: `python -m tests.techsquare.attack --offers 1000`: one supplier, and three that collude."""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from math import log2

from techsquare.catalogue.load import load
from techsquare.privacy.bands import band
from techsquare.registry.store import Registry
from techsquare.registry.tables import Base
from tests.techsquare.attack.attack import CONSENTS, SPOKEN, Attack
from tests.techsquare.attack.target import Secret, Target
from tests.techsquare.attack.test_attack import held
from tests.techsquare.privacy.attack import STATES


def main() -> int:
    """Run; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--offers", type=int, default=1000)
    parser.add_argument("--days", type=int, default=360)
    parser.add_argument("--cash", type=int, default=60_000_000)
    parser.add_argument("--only", type=int, choices=(1, 3))
    args = parser.parse_args()
    logging.disable()
    for suppliers in (args.only,) if args.only else (1, 3):
        with tempfile.TemporaryDirectory() as folder:
            registry = Registry(f"sqlite:///{folder}/registry.db")
            Base.metadata.create_all(registry.engine)
            target = Target(registry, load(), Secret(cash=args.cash), suppliers)
            known = Attack(target, args.offers, args.days).run()
            target.close()
            registry.close()
        low, high = known.interval
        print(
            f"{suppliers} supplier(s), {args.offers} offers in {args.days} days: {sum(known.by_group.values())} "
            f"answers {dict(sorted(known.answers.items()))}; budget {low} to {high} of {tuple(band(target.pays))}; "
            f"tags {log2(len(STATES) / len(known.tags)):.2f} bits; protocols {len(known.spoken)} of "
            f"{2 ** len(SPOKEN)} sets left, consents {len(known.scopes)} of {2 ** len(CONSENTS)}",
            flush=True,
        )
        held(known, target.pays, args.days)
    return 0


if __name__ == "__main__":
    sys.exit(main())
