"""`tsq-gateway probe`: what the configured broker can do, as a table with reasons.

It may be run while workers run; they notice only that their presence is asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from service import exits
from settings.language import Text

if TYPE_CHECKING:
    import argparse

    from gateway.config import GatewayConfig
    from settings.language import Language


def arguments(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add the words of this verb."""
    text = Text("the gateway's file", "게이트웨이 설정 파일")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help=text(language))


def main(settings: GatewayConfig, language: Language) -> int:
    """Ask the broker, print the table; return 0 when a worker can work with it."""
    from gateway.probe import ProbeError, probe  # noqa: PLC0415 - `check` loads no broker library

    try:
        probed = probe(settings.mqtt)
    except ProbeError as exc:
        print(exc.text(language))
        return exits.FAULT
    print(settings.mqtt.address)
    for line in probed.table.lines(language):
        print(line)
    for worker in probed.workers:
        text = Text(
            f"worker {worker.worker} is here (version {worker.version})",
            f"{worker.worker} 게이트웨이가 접속해 있습니다(버전 {worker.version})",
        )
        print(text(language))
    return exits.CLEAN if probed.table.works else exits.FAULT
