"""docs/platform.md, command by command as it stands: PostgreSQL, mosquitto under the page's rules, two workers."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from sqlalchemy import func, select

from contract.codec import encode
from settings.broker import Broker
from techsquare.registry import tables as t
from techsquare.registry.audit import Actor
from techsquare.registry.ids import new_id
from techsquare.registry.store import Registry, add
from tests.e2e.rig import until
from tests.support.brokers import mosquitto
from tests.support.postgres import _programs
from tests.support.processes import free_port, running
from tests.techsquare.api.test_compute import roadmap_problem, sent
from tests.techsquare.intake.made import Made
from tests.techsquare.intake.publisher import Publisher

if TYPE_CHECKING:
    import pytest

    from tests.support.postgres import Postgres

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "platform.md"
SECRET = "ten letters or more"


def blocks() -> list[tuple[str, list[str]]]:
    """Return the blocks of the page: their kind, and their lines without what is said about them."""
    found = re.findall(r"```(\w+)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return [
        (kind, [re.sub(r"  +#.*", "", line).rstrip() if kind == "sh" else line for line in text.splitlines()])
        for kind, text in found
    ]


class Machine:
    """A folder that looks like a clone, the database, and what has been started in it."""

    def __init__(self, folder: Path, cluster: Postgres, stack: ExitStack) -> None:
        self.folder, self.stack = folder, stack
        (folder / ".venv").symlink_to(sys.prefix)
        self.url = cluster.url(cluster.create())
        self.web, self.mqtt = free_port(), free_port()
        self.env = {
            **os.environ, "TECHSQUARE_DATABASE": self.url, "TECHSQUARE_BROKER": f"127.0.0.1:{self.mqtt}",
            "TECHSQUARE_MQTT_PASSWORD": SECRET, "LC_ALL": "C.UTF-8",
            "PATH": f"{_programs()}:{os.environ['PATH']}",
        }  # fmt: skip
        self.services: list[subprocess.Popen[bytes]] = []
        self.out: dict[str, str] = {}
        self.registry = Registry(self.url)
        stack.callback(self.registry.close)
        self.box = Made("hanil")
        self.box.sign(4)
        (folder / "manifest.json").write_bytes(self.box.manifest().payload)
        (folder / "days.json").write_bytes(encode({"days": self.box.days}))
        _, problem = roadmap_problem(5, 6)
        (folder / "problem.json").write_text(json.dumps(sent(problem)), "utf-8")

    def run(self, command: str) -> None:
        """Run a command; one that goes on is left running until it says so."""
        words = command.replace("postgresql:///techsquare", self.url)
        if re.search(r"techsquare (serve|intake)", words):
            if " serve" in words:
                words += f" --listen 127.0.0.1:{self.web}"
            with (self.folder / f"{len(self.services)}.log").open("wb") as log:
                child = subprocess.Popen(
                    words.split(), cwd=self.folder, env=self.env, stdout=log, stderr=subprocess.STDOUT
                )
            self.services.append(child)
            self.stack.callback(child.wait)
            self.stack.callback(child.kill)
            return
        done = subprocess.run(
            ["/bin/sh", "-c", words], cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=100,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        self.out[command] = done.stdout
        if " access " in words:
            self._broker()

    def said(self, part: str) -> str:
        """Return what the command with this in it has printed."""
        return next(text for command, text in self.out.items() if part in command)

    def _broker(self) -> None:
        passwords = self.folder / "passwords"
        passwords.touch(mode=0o600)
        for user in ("techsquare", "hanil.edge-1"):
            subprocess.run(["mosquitto_passwd", "-b", passwords, user, SECRET], check=True, capture_output=True)
        child = mosquitto(
            self.folder / "mosquitto", self.mqtt, allow_anonymous="false", password_file=str(passwords),
            acl_file=str(self.folder / "broker" / "acl"),
        )  # fmt: skip
        self.stack.enter_context(running(child))

    def ask(self, line: str, client: httpx.Client, known: dict[str, str]) -> None:
        """Send a request of the page."""
        method, path, *rest = line.split(" ", 2)
        for name, value in known.items():
            rest = [text.replace(name, value) for text in rest]
        answer = client.request(method, path, json=json.loads(rest[0]) if rest else None)
        assert answer.status_code in {200, 201, 204}, (line, answer.text)
        if path == "/v1/login":
            client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
            known["MEMBERSHIP"] = answer.json()["membership"]
        if path == "/v1/invitations":
            known["OWNER TOKEN"] = answer.json()["token"]

    def up(self) -> bool:
        """Return whether the API answers."""
        try:
            return httpx.get(f"http://127.0.0.1:{self.web}/ready").status_code == 200
        except httpx.TransportError:
            return False

    def count(self, model: Any) -> int:
        """Return the rows of a table."""
        with self.registry.reading() as session:
            return session.scalar(select(func.count()).select_from(model)) or 0


def diagnosed(registry: Registry) -> None:
    key = new_id()
    registry.decide(
        lambda s: add(
            s,
            t.Machine(factory_id="hanil", id="press-1", name="프레스 1", process="press", limits_output="yes"),
            t.Assessment(
                id=key, factory_id="hanil", at=1, kind="measured", state="day28", coverage=0.9, body={}, hash="h"
            ),
            t.Loss(
                id=new_id(), assessment_id=key, machine_id="press-1", bucket="setup", share_low=0.05,
                share_high=0.1, won_low=30_000_000, won_high=60_000_000, coverage=0.9, days=28, lacking=[],
            ),
            t.Budget(
                id=new_id(), factory_id="hanil", at=1, cash=[20_000_000] * 3, staff_days=[60.0] * 3,
                support=[0] * 3, most_measures=3,
            ),
        ),
        Actor("test"),
    )  # fmt: skip


def test_every_command_and_request_of_the_page_works_in_its_order(
    tmp_path: Path, cluster: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOX", SECRET)
    with ExitStack() as stack:
        machine = Machine(tmp_path, cluster, stack)
        parts = blocks()
        assert [kind for kind, _ in parts] == [
            "sh", "ini", "sh", "yaml", "http", "http", "sh", "sh", "sh", "sh", "sh",
        ]  # fmt: skip
        assert any("useradd" in line for line in parts[0][1])  # the first one needs root and a bare machine
        (tmp_path / "access.yaml").write_text("\n".join(parts[3][1]), "utf-8")
        for command in parts[2][1]:
            machine.run(command)
        until(machine.up, 100, "the API does not start")
        known = {"INVITATION": machine.said(" operator ").strip(), "PUBLIC KEY": machine.box.public}
        with httpx.Client(base_url=f"http://127.0.0.1:{machine.web}", timeout=30) as client:
            for line in parts[4][1]:
                machine.ask(line, client, known)
            operator = dict(client.headers)
        broker = {"host": "127.0.0.1", "port": machine.mqtt, "user": "hanil.edge-1", "password": "env:BOX"}
        with (
            Publisher(Broker.model_validate(broker)) as publisher,
            httpx.Client(base_url=f"http://127.0.0.1:{machine.web}", timeout=30, headers=operator) as client,
        ):
            publisher.send([machine.box.manifest()], retain=True)
            until(lambda: machine.count(t.Consent) == 1, 60, "the manifest does not arrive")
            for line in parts[5][1]:
                machine.ask(line, client, known)
            publisher.send(machine.box.sign(2))
        until(lambda: machine.count(t.DayRecord) == 2, 60, "the days do not arrive under the rules of the page")
        diagnosed(machine.registry)
        sqlite = Registry(f"sqlite:///{tmp_path}/techsquare.db")
        sqlite.close()
        for _, lines in parts[6:-1]:
            for command in lines:
                if command.startswith("pg_restore"):  # what keeps them open ends first
                    ended(machine.services)
                machine.run(command)
        fates = [json.loads(line)["fate"] for line in machine.said("import").splitlines() if line.startswith("{")]
        assert fates == ["older", *["stored"] * 4]
        assert "지금은" in machine.said("--problem")
        assert "2027-01-04" in machine.said("roadmap hanil")
        assert json.loads(machine.said("--schema"))["title"] == "RoadmapProblem"
        assert json.loads(machine.said("night"))["silence"]["silent"] == 1  # its last day is of August
        assert (tmp_path / "backup.db").exists()
        assert (machine.count(t.DayRecord), machine.count(t.Roadmap)) == (6, 1)  # restored
        with machine.registry.reading() as session:
            nights = session.scalars(select(t.Job.state).where(t.Job.kind == "night")).all()
        assert nights == ["done", "done"]  # when it came up, and by hand


def test_a_simulated_programme_is_tried_as_the_page_says(tmp_path: Path) -> None:
    (tmp_path / ".venv").symlink_to(sys.prefix)
    kind, (fill, serve) = blocks()[-1]
    assert kind == "sh"
    env = {**os.environ, "LC_ALL": "C.UTF-8"}
    small = [*fill.split(), "--factories", "30", "--months", "3"]
    told = subprocess.run(small, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert told.returncode == 0, told.stderr
    words = next(line.split() for line in told.stdout.splitlines() if line.startswith("operator "))
    port = free_port()
    command = [*serve.split(), "--listen", f"127.0.0.1:{port}"]
    with ExitStack() as stack:
        log = stack.enter_context((tmp_path / "serve.log").open("wb"))
        child = subprocess.Popen(command, cwd=tmp_path, env=env, stdout=log, stderr=subprocess.STDOUT)
        stack.callback(child.wait)
        stack.callback(child.kill)
        client = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30))

        def up() -> bool:
            try:
                return client.get("/ready").status_code == 200
            except httpx.TransportError:
                return False

        until(up, 100, "the API does not start")
        login = client.post("/v1/login", json={"email": words[1], "password": words[2]}).json()
        client.headers["Authorization"] = f"Bearer {login['token']}"
        rows = client.get("/v1/rows/party", params={"where": "kind=factory"}).json()["rows"]
        assert rows
        assert all(row["name"].startswith("모의") for row in rows)


def ended(services: list[subprocess.Popen[bytes]]) -> None:
    """End what was started, as the service manager does."""
    for child in services:
        child.send_signal(signal.SIGTERM)
    assert [child.wait(30) for child in services] == [0, 0, 0]


def test_the_settings_of_the_page_are_read_by_the_units() -> None:
    ini = next(lines for kind, lines in blocks() if kind == "ini")
    names = {line.lstrip("#").partition("=")[0] for line in ini}
    assert names == {
        "TECHSQUARE_DATABASE", "TECHSQUARE_BROKER", "TECHSQUARE_MQTT_PASSWORD", "TECHSQUARE_INTAKE",
        "TECHSQUARE_SERVE",
    }  # fmt: skip
    units = "".join(
        (ROOT / "systemd" / f"{unit}.service").read_text("utf-8") for unit in ("techsquare", "techsquare-intake")
    )
    code = "".join(path.read_text("utf-8") for path in (ROOT / "techsquare").rglob("*.py"))
    assert all(f"${name}" in units or f'"{name}"' in code for name in names)
