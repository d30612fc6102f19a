"""A real PostgreSQL for tests: a cluster of its own in a temporary folder, on a unix socket that only tests know.

The server refuses to run as root, as the tests do in CI: then it runs as `postgres`, or as `nobody`. It keeps no
promise of durability (no fsync), because nothing that it holds outlives the tests.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "log_min_messages": "warning",
}


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    assert found, "PostgreSQL is not installed: run `make test`, it installs what the tests need"
    return found[-1].parent


def _owner() -> pwd.struct_passwd | None:
    """Return whom to run as; None: as ourselves."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise AssertionError("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody")


class Postgres:
    """A running cluster. Databases in it are made and dropped one by one.

    Attributes:
        folder: Its data, socket and log.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._programs = _programs()
        self._owner = _owner()
        self._count = itertools.count(1)
        if self._owner is not None:
            os.chown(folder, self._owner.pw_uid, self._owner.pw_gid)
        self._run(["initdb", "-D", folder / "data", "-U", "tests", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"])
        with (folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in _SETTINGS.items())
            file.write(f"unix_socket_directories = '{folder}'\n")

    def _run(self, command: Sequence[str | Path]) -> None:
        program, *words = command
        owner = self._owner
        done = subprocess.run(
            [self._programs / program, *words],
            cwd=self.folder, capture_output=True, text=True, check=False, timeout=60,
            user=None if owner is None else owner.pw_uid, group=None if owner is None else owner.pw_gid,
            extra_groups=None if owner is None else [],
        )  # fmt: skip
        assert done.returncode == 0, f"{program}: {done.stdout}\n{done.stderr}"

    def start(self) -> None:
        """Start it; returns when it accepts connections. It ends with us, also when we are killed."""
        as_whom = [] if self._owner is None else [
            f"--reuid={self._owner.pw_uid}", f"--regid={self._owner.pw_gid}", "--clear-groups",
        ]  # fmt: skip
        command: list[str | Path] = [
            "setpriv",
            *as_whom,
            "--pdeathsig=INT",
            self._programs / "postgres",
            "-D",
            self.folder / "data",
        ]
        log = self.folder / "log"
        with log.open("ab") as file:
            self._server = subprocess.Popen(command, cwd=self.folder, stdout=file, stderr=file)
        deadline = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
            except psycopg.OperationalError:
                ended = self._server.poll() is not None
                assert not ended and time.monotonic() < deadline, log.read_text("utf-8")  # noqa: PT018
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """Stop it; what clients were doing is rolled back."""
        self._server.send_signal(signal.SIGINT)
        self._server.wait(60)

    def url(self, name: str) -> str:
        """Return the URL of a database."""
        return f"postgresql://tests@/{name}?host={self.folder}"

    def create(self, template: str = "template1") -> str:
        """Make a database, a copy of another one, and return its name."""
        name = f"t{next(self._count)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE {name} TEMPLATE "{template}"'.encode())
        return name

    def drop(self, name: str) -> None:
        """Drop a database, whoever is connected to it."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())

    def dump(self, name: str) -> str:
        """Return the schema of a database as `pg_dump` writes it."""
        done = subprocess.run(
            [self._programs / "pg_dump", "-s", "-O", "-x", "-h", self.folder, "-U", "tests", name],
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        return done.stdout


@contextlib.contextmanager
def postgres() -> Iterator[Postgres]:
    """Run a cluster, and leave nothing of it."""
    folder = Path(tempfile.mkdtemp(prefix="tsq-pg-"))
    try:
        cluster = Postgres(folder)
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
