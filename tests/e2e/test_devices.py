"""A stopped PLC, a refused login, an unknown node: what the log, the store and the neighbours see of each."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any

import pytest

from gateway.stores.embedded import EmbeddedStore
from tests.e2e.rig import Rig, running, until
from tests.peers.modbus import server as modbus_server
from tests.peers.opcua import Plant, opcua_server
from tests.support.processes import running as child_running

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(180)
BAD = 1 << 31


def _modbus(device: str, port: int) -> dict[str, Any]:
    signals = [{"id": "level", "address": "holding:7", "type": "uint16"}]
    return {
        "id": device, "type": "modbus", "machine": device, "host": "127.0.0.1", "port": port, "timeout": "400ms",
        "groups": [{"id": "main", "every": "500ms", "signals": signals}],
    }  # fmt: skip


def _opcua(plant: Plant, *nodes: str, **more: Any) -> dict[str, Any]:
    signals = [{"id": n, "node": f"ns=1;s={n}", "type": "uint32"} for n in nodes]
    return {
        "id": "cnc", "type": "opcua", "machine": "cnc", "endpoint": plant.endpoint, "security": "None",
        "groups": [{"id": "main", "every": "500ms", "signals": signals}], **more,
    }  # fmt: skip


def _machines(*ids: str) -> list[dict[str, Any]]:
    return [{"id": name} for name in ids]


def _rows(rig: Rig, measurement: str, field: str) -> list[tuple[int, Any]]:
    store = EmbeddedStore(rig.store_path, read_only=True)
    try:
        return [(p.time_ns, p.fields[field]) for p in store.read(measurement, 0, 2**63 - 1) if field in p.fields]
    finally:
        store.close()


def _lines(rig: Rig, device: str) -> list[str]:
    """Return the agent's log lines about a device, without the one that says reading begins."""
    return [line for line in rig.agent.output().splitlines() if f": {device}: " in line and "INFO" not in line]


def _undisturbed(rig: Rig, machine: str, begin_ns: int, end_ns: int) -> None:
    """Check that a neighbour polled at 500 ms went on in its grid."""
    times = [t for t, _ in _rows(rig, machine, "level_i") if begin_ns <= t <= end_ns]
    holes = [b - a for a, b in itertools.pairwise(times)]
    assert times, f"nothing of {machine}"
    assert max(holes) < 1_000_000_000, f"{machine} has a hole of {max(holes) / 1e9:.2f} s"
    assert not [t for t, _ in _rows(rig, machine, "level_q") if begin_ns <= t <= end_ns]


def test_a_stopped_plc_is_one_line_going_one_coming_and_bad_frames_meanwhile(tmp_path: Path) -> None:
    dead, neighbour = modbus_server(tmp_path / "a"), modbus_server(tmp_path / "b")
    assert dead.port is not None
    assert neighbour.port is not None
    with child_running(dead), child_running(neighbour):
        devices = [_modbus("press", dead.port), _modbus("saw", neighbour.port)]
        with running(Rig(tmp_path, devices=devices, machines=_machines("press", "saw"))) as rig:
            rig.wait_for_state("press", "up")
            rig.wait_for_state("saw", "up")
            begin = time.time_ns()
            dead.kill()
            rig.wait_for_state("press", "down")
            time.sleep(6)
            dead.start()
            back = time.time_ns()
            rig.wait_for_state("press", "up", 5)
            until(
                lambda: any(t > back for t, _ in _rows(rig, "press", "level_i")),
                5,
                "no value after the return",
                rig,
            )
            end = time.time_ns()
            good = _rows(rig, "press", "level_i")
            assert min(t for t, _ in good if t > back) - back < 5 * 10**9
            bad = [(t, q) for t, q in _rows(rig, "press", "level_q") if begin < t < back]
            assert len(bad) >= 2
            assert all(q & BAD for _, q in bad)
            assert not [t for t, _ in good if bad[0][0] <= t <= bad[-1][0]], "a value while the PLC was dead"
            going, coming = _lines(rig, "press")
            assert "not reachable" in going
            assert "back after" in coming
            assert _lines(rig, "saw") == []
            _undisturbed(rig, "saw", begin, end)


def test_a_refused_login_waits_for_a_person_and_retry_brings_it_back_at_once(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("wrong")
    neighbour = modbus_server(tmp_path / "b")
    assert neighbour.port is not None
    options = {"anonymous": False, "users": {"tsq": "right"}, "plainPassword": True}
    with child_running(neighbour), opcua_server(tmp_path / "cnc", **options) as plant:
        login = {"user": "tsq", "password": f"file:{secret}", "plain_password": True}  # the server takes no other
        cnc = _opcua(plant, "counter", login=login)
        devices = [cnc, _modbus("saw", neighbour.port)]
        with running(Rig(tmp_path, devices=devices, machines=_machines("cnc", "saw"))) as rig:
            rig.wait_for_state("cnc", "refused")
            rig.wait_for_state("saw", "up")
            begin = time.time_ns()
            time.sleep(4)
            until(lambda: _rows(rig, "cnc", "counter_q"), 5, "no bad frame", rig)
            assert _rows(rig, "cnc", "counter_i") == []
            secret.write_text("right")
            rig.retry("cnc")
            rig.wait_for_state("cnc", "up", 5)
            until(lambda: _rows(rig, "cnc", "counter_i"), 5, "no value after the login was put right", rig)
            end = time.time_ns()
            going, coming = _lines(rig, "cnc")
            assert "refused" in going
            assert "back after" in coming
            assert "wrong" not in rig.agent.output().replace("is wrong", "")
            _undisturbed(rig, "saw", begin, end)


@pytest.mark.parametrize("helped_by", ["retry", "none"])
def test_an_unknown_node_is_bad_alone_and_good_once_it_exists(tmp_path: Path, helped_by: str) -> None:
    neighbour = modbus_server(tmp_path / "b")
    assert neighbour.port is not None
    with child_running(neighbour), opcua_server(tmp_path / "cnc") as plant:
        devices = [_opcua(plant, "counter", "spindle"), _modbus("saw", neighbour.port)]
        with running(Rig(tmp_path, devices=devices, machines=_machines("cnc", "saw"))) as rig:
            rig.wait_for_state("cnc", "up")
            rig.wait_for_state("saw", "up")
            begin = time.time_ns()
            until(lambda: _rows(rig, "cnc", "spindle_q"), 5, "no bad row of the unknown node", rig)
            assert _rows(rig, "cnc", "counter_i"), "its neighbour on the same server is read"
            assert rig.status()["devices"]["cnc"]["refused"]
            plant.tell("add", node="spindle", type="UInt32", value=4711)
            if helped_by == "retry":
                rig.retry("cnc")
            until(lambda: _rows(rig, "cnc", "spindle_i"), 5 if helped_by == "retry" else 65, "no value", rig)
            assert _rows(rig, "cnc", "spindle_i")[0][1] == 4711
            until(lambda: not rig.status()["devices"]["cnc"]["refused"], 5, "still listed as refused", rig)
            end = time.time_ns()
            going, coming = _lines(rig, "cnc")
            assert "spindle" in going
            assert "spindle" in coming
            _undisturbed(rig, "saw", begin, end)


def test_a_login_put_right_comes_back_by_itself_within_65_s(tmp_path: Path) -> None:
    options = {"anonymous": False, "users": {"tsq": "other"}, "plainPassword": True}
    secret = tmp_path / "password"
    secret.write_text("right")
    with opcua_server(tmp_path / "cnc", **options) as plant:
        login = {"user": "tsq", "password": f"file:{secret}", "plain_password": True}  # the server takes no other
        cnc = _opcua(plant, "counter", login=login)
        with running(Rig(tmp_path, devices=[cnc], machines=_machines("cnc"))) as rig:
            rig.wait_for_state("cnc", "refused")
            plant.tell("users", users={"tsq": "right"})
            rig.wait_for_state("cnc", "up", 65)
            until(lambda: _rows(rig, "cnc", "counter_i"), 5, "no value", rig)
