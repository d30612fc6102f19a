"""TLS on a box that thinks it is 1970: the broker's certificate is held against the earliest possible time."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

import pytest

from tests.security.broker import mosquitto
from tests.support.certificates import DAY, Authority, now
from tests.time.rig import EPOCH_1970, TimedRig, timed

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(120)


def _secured(rig: TimedRig, plant: Authority) -> None:
    """Let all three speak TLS, with a broker whose certificate began yesterday."""
    edge = plant.issue("edge").settings(plant.file)
    for path, places in ((rig.config, ("uplink", "site")), (rig.folder / "gateway.yaml", ("mqtt",))):
        told = json.loads(path.read_text("utf-8"))
        place = told
        for name in places:
            place = place[name]
        place["tls"] = edge
        path.write_text(json.dumps(told, ensure_ascii=False), "utf-8")
    rig.broker = mosquitto(
        rig.folder / "tls",
        plant.file,
        plant.issue("broker", server=True),
        port=rig.broker.port,
        identity=False,
        lines=("allow_anonymous true",),
    )


def test_not_yet_valid_is_accepted_without_the_time_and_what_has_expired_is_not(tmp_path: Path) -> None:
    rig, plant = TimedRig(tmp_path), Authority(tmp_path / "pki")
    _secured(rig, plant)
    rig.box.set(EPOCH_1970)
    rig.office.kernel(synchronised=True)
    with timed(rig):
        rig.wait_for_clock("gateway")  # its question went through TLS
        rig.read_more(5)
        rig.wait_for(lambda: bool(rig.rows()), "data arrives")
        rig.agent.stop()

        rig.broker.stop()
        rig.gateway.stop()
        plant.issue("broker", server=True, begin=now() - 30 * DAY, end=now() - dt.timedelta(minutes=1))
        rig.broker.start()
        rig.box.kernel(boot="another")  # and 1970 again: but the last trusted time is on the disk
        rig.agent.start()
        rig.wait_for(lambda: "has expired" in rig.agent.output(), "the certificate is refused")
        assert rig.clock()["source"] == "none"
        assert rig.status()["uplink"]["site"] is False

        plant.issue("broker", server=True)
        rig.broker.restart()
        rig.gateway.start()
        rig.wait_for_clock("gateway")
        rig.finish()
        rig.judge(lost=10)
