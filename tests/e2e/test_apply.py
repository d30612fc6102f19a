"""A changed file in a running agent: who notices, what is kept, and what is taken back."""

from __future__ import annotations

import itertools
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from agent.control import ask
from tests.e2e.rig import running, until
from tests.e2e.site import Site, device, undisturbed
from tests.support.processes import running as child_running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    one = Site(tmp_path)
    with child_running(one.servers["press"]), child_running(one.servers["saw"]), running(one.rig):
        one.rig.wait_for_state("press", "up")
        one.rig.wait_for_state("saw", "up")
        yield one


def test_a_change_concerns_the_changed_device_alone(site: Site) -> None:
    site.write(device("press", site.ports["press"], 1, 2, 3), device("saw", site.ports["saw"], 7))
    told = site.run("diff", site.changed)
    assert told.returncode == 1
    assert "device press: changed" in told.stdout
    assert "1 signals added: w3" in told.stdout
    assert "saw" not in told.stdout
    done = site.run("apply", site.changed, "--watch", "2s", "--author", "kim")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "press: 1 of 1 new tags can be read" in done.stdout
    assert "kept: 3 of 3" in done.stdout
    until(lambda: site.stored("press", "w3_i"), 20, "the new signal is not stored", site.rig)
    until(lambda: site.gaps("config"), 20, "no gap", site.rig)
    assert set(site.gaps("config")) == {"press.main"}
    ((start, end),) = site.gaps("config")["press.main"]
    assert end is not None
    assert 0 < end - start < 20 * 10**9
    before, after = site.stored("press", "w1_i").values(), site.stored("press", "w3_i").values()
    assert not [t for t in before if start < t < end], "a row inside the gap"
    assert min(after) >= end
    undisturbed(site)
    assert site.run("diff", site.changed).returncode == 0, "it is in force"
    assert json.loads(site.rig.config.read_text("utf-8")) == json.loads(site.changed.read_text("utf-8"))
    previous = site.rig.config.with_name("agent.yaml.previous")
    assert len(json.loads(previous.read_text("utf-8"))["devices"][0]["groups"][0]["signals"]) == 2
    site.rig.agent.restart()
    site.rig.wait_for_state("press", "up")
    assert len(ask(site.rig.folder / "agent", "values", "press")["signals"]) == 3  # type: ignore[arg-type]


def test_devices_come_and_go(site: Site) -> None:
    added = device("new", site.ports["press"], 5)
    machines = [{"id": name} for name in ("press", "saw", "new")]
    done = site.run(
        "apply", site.write(device("saw", site.ports["saw"], 7), added, machines=machines), "--watch", "1s"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(site.rig.status()["devices"]) == {"saw", "new"}
    until(lambda: site.stored("new", "w5_i"), 20, "the new device is not stored", site.rig)
    old = [device("press", site.ports["press"], 1, 2), device("saw", site.ports["saw"], 7)]
    done = site.run("apply", site.write(*old), "--watch", "1s")
    assert done.returncode == 0, done.stdout + done.stderr
    site.rig.wait_for_state("press", "up")
    undisturbed(site)


def test_what_cannot_be_read_is_not_taken_over_unless_a_person_says_so(site: Site) -> None:
    before = site.rig.config.read_bytes()
    site.write(device("press", site.ports["press"], 1, 2, 150), device("saw", site.ports["saw"], 7))
    done = site.run("apply", site.changed, "--watch", "1s")
    assert done.returncode == 1
    assert "press: 0 of 1 new tags can be read" in done.stdout
    assert "nothing was changed" in done.stdout
    assert site.rig.config.read_bytes() == before
    assert site.gaps("config") == {}
    done = site.run("apply", site.changed, "--watch", "2s", "--anyway")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "kept: 2 of 2" in done.stdout, "what could not be read before is no reason to go back"
    undisturbed(site)


def test_a_change_that_makes_good_tags_bad_is_taken_back(site: Site) -> None:
    # the new tag is good, the device then answers nothing any more in time: a timeout that is too short
    slow = device("press", site.ports["press"], 1, 2) | {"timeout": "10ms"}
    site.write(slow, device("saw", site.ports["saw"], 7))
    with site.applying(site.changed, "--watch", "3s") as done:
        site.servers["press"].kill()
        said = done.communicate(timeout=60)[0]
    assert done.returncode == 1
    assert "went back to the old file: only 0 of 2" in said
    site.servers["press"].start()
    site.rig.wait_for_state("press", "up")
    assert "timeout" in json.loads(site.rig.config.read_text("utf-8"))["devices"][0]
    assert json.loads(ask(site.rig.folder / "agent", "config")["text"])["devices"][0]["timeout"] == "450ms"  # type: ignore[arg-type]
    undisturbed(site)


def test_who_goes_away_while_watching_leaves_the_old_file_in_force(site: Site) -> None:
    site.write(device("press", site.ports["press"], 1, 2, 3), device("saw", site.ports["saw"], 7))
    with site.applying(site.changed, "--watch", "10m") as done:
        until(lambda: len(_signals(site)) == 3, 20, "not taken over", site.rig)
        done.kill()
    until(lambda: len(_signals(site)) == 2, 20, "not taken back", site.rig)
    site.rig.wait_for_state("press", "up")
    undisturbed(site)


def test_an_agent_that_is_stopped_while_it_watches_starts_with_the_old_file(site: Site) -> None:
    site.write(device("press", site.ports["press"], 1, 2, 3), device("saw", site.ports["saw"], 7))
    with site.applying(site.changed, "--watch", "10m") as done:
        until(lambda: len(_signals(site)) == 3, 20, "not taken over", site.rig)
        assert site.rig.agent.stop(30) == 0
        done.communicate(timeout=60)
    assert done.returncode == 1
    assert "Traceback" not in site.rig.agent.output()
    site.rig.agent.start()
    site.rig.wait_for_state("press", "up")
    assert len(_signals(site)) == 2


def _signals(site: Site) -> list[Any]:
    signals: list[Any] = ask(site.rig.folder / "agent", "values", "press")["signals"]  # type: ignore[assignment]
    return signals


def test_what_needs_a_restart_is_said_and_not_half_done(site: Site) -> None:
    config = json.loads(site.rig.config.read_text("utf-8"))
    site.write(device("press", site.ports["press"], 1), config["devices"][1], agent="edge-2")
    done = site.run("apply", site.changed)
    assert done.returncode == 1
    assert "needs a restart of the agent: agent" in done.stdout
    assert len(_signals(site)) == 2
    undisturbed(site)


def test_a_wrong_file_is_refused_with_its_lines(site: Site) -> None:
    site.write(device("press", site.ports["press"], 1) | {"hots": "x"}, device("saw", site.ports["saw"], 7))
    done = site.run("apply", site.changed)
    assert done.returncode == 78
    assert "hots" in done.stderr
    time.sleep(0.5)
    undisturbed(site)


def test_a_file_edited_in_its_place_that_is_not_kept_makes_room_for_the_old_one(site: Site) -> None:
    before = json.loads(site.rig.config.read_text("utf-8"))
    site.write(device("press", site.ports["press"], 1, 2, timeout="400ms"), device("saw", site.ports["saw"], 7))
    site.rig.config.write_bytes(site.changed.read_bytes())
    with site.applying("--watch", "3s") as done:
        site.servers["press"].kill()
        done.communicate(timeout=60)
    assert done.returncode == 1
    assert json.loads(site.rig.config.read_text("utf-8")) == before
    rejected = site.rig.config.with_name("agent.yaml.rejected")
    assert rejected.read_bytes() == site.changed.read_bytes()


def test_who_goes_away_while_it_goes_over_leaves_no_device_unread(site: Site) -> None:
    site.write(device("press", site.ports["press"], 1, 2, 3), device("saw", site.ports["saw"], 7))
    for _ in range(2):
        before = _frames(site)
        with site.applying(site.changed, "--watch", "10m") as done:
            done.kill()
        until(lambda n=before: _frames(site) > n + 2, 20, "press is not read any more", site.rig)
        until(lambda: len(_signals(site)) == 2, 20, "not taken back", site.rig)
    undisturbed(site)


def _frames(site: Site) -> int:
    return int(site.rig.status()["devices"]["press"]["frames"])


def test_a_device_that_was_removed_for_a_trial_has_one_gap_for_all_of_it(site: Site) -> None:
    config = json.loads(site.rig.config.read_text("utf-8"))
    other = device("new", site.ports["press"], 5)
    changed = site.write(config["devices"][1], other, machines=[{"id": "saw"}, {"id": "new"}])
    until(lambda: site.stored("press", "w1_i"), 20, "nothing stored", site.rig)
    with site.applying(changed, "--watch", "10m") as done:
        until(lambda: set(site.rig.status()["devices"]) == {"saw", "new"}, 20, "not removed", site.rig)
        done.kill()
    site.rig.wait_for_state("press", "up")
    until(lambda: all(end for _, end in site.gaps("config").get("press.main", [(0, None)])), 20, "no gap", site.rig)
    spans = sorted((a, b or 0) for a, b in site.gaps("config")["press.main"])
    start, end = spans[0][0], spans[-1][1]
    assert all(b[0] - a[1] < 10**8 for a, b in itertools.pairwise(spans)), "one account without a hole"
    until(lambda: max(site.stored("press", "w1_i").values()) > end, 20, "no row behind it", site.rig)
    times = sorted(site.stored("press", "w1_i").values())
    assert max(t for t in times if t <= start) >= start - 10**6, "the gap begins with the last row"
    assert min(t for t in times if t > start) >= end
    undisturbed(site)


def test_a_file_edited_in_its_place_is_out_of_the_way_while_it_is_on_trial(site: Site) -> None:
    before = site.rig.config.read_bytes()
    site.write(device("press", site.ports["press"], 1, 2, 3), device("saw", site.ports["saw"], 7))
    site.rig.config.write_bytes(site.changed.read_bytes())
    with site.applying("--watch", "10m") as done:
        until(lambda: len(_signals(site)) == 3, 20, "not taken over", site.rig)
        done.kill()
        site.rig.agent.kill()
    site.rig.agent.start()
    site.rig.wait_for_state("press", "up")
    assert len(_signals(site)) == 2, "a box without power starts with what was good"
    assert site.rig.config.read_bytes() == before
    assert site.rig.config.with_name("agent.yaml.rejected").read_bytes() == site.changed.read_bytes()


def test_what_somebody_has_written_meanwhile_is_kept_beside_the_file(site: Site) -> None:
    site.write(device("press", site.ports["press"], 1, 2, 3), device("saw", site.ports["saw"], 7))
    edited = site.rig.config.read_bytes() + b"\n# a second person\n"
    site.rig.config.write_bytes(edited)
    done = site.run("apply", site.changed, "--watch", "1s")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "changes that were never applied" in done.stdout
    assert site.rig.config.read_bytes() == site.changed.read_bytes()
    assert site.rig.config.with_name("agent.yaml.unapplied").read_bytes() == edited


def test_another_state_folder_needs_a_restart_and_says_so(site: Site) -> None:
    config = json.loads(site.rig.config.read_text("utf-8"))
    site.write(*config["devices"], storage={"directory": str(site.rig.folder / "elsewhere"), "min_free": "1MB"})
    done = site.run("apply", site.changed, "--yes")
    assert done.returncode == 1
    assert "needs a restart of the agent: storage" in done.stdout
    assert json.loads(site.rig.config.read_text("utf-8")) == config
