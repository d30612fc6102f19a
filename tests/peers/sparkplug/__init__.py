"""A Sparkplug host application that is not ours: Eclipse Tahu's, the reference implementation."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.npm import BUILD

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent


def built() -> Path:
    """Return a folder with the host's class and its libraries; made once for each version of its files."""
    files = [HERE / "pom.xml", HERE / "Host.java"]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]
    folder = BUILD / f"sparkplug-host-{digest}"
    if not folder.exists():
        BUILD.mkdir(exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=BUILD, prefix="sparkplug-new-"))
        for path in files:
            shutil.copy(path, fresh)
        for command in (
            ["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib"],
            ["javac", "-cp", "lib/*", "-d", "classes", "Host.java"],
        ):
            assert shutil.which(command[0]), (
                f"{command[0]} is not installed: run `make test`, it installs what it needs"
            )
            done = subprocess.run(command, cwd=fresh, capture_output=True, text=True, timeout=300, check=False)
            assert done.returncode == 0, f"{command}\n{(done.stdout + done.stderr)[-4000:]}"
        try:
            fresh.rename(folder)
        except OSError:  # another test run was faster
            shutil.rmtree(fresh)
    return folder


class Host:
    """A host application, running."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process = process
        self._log = log

    def seen(self, what: str = "") -> list[dict[str, Any]]:
        """Return what it has told so far, of one kind or all, in its order."""
        lines = self._log.read_text("utf-8").splitlines()
        told = [json.loads(line) for line in lines if line.startswith('{"what"') and line.endswith("}")]
        return [one for one in told if what in ("", one["what"])]

    def say(self, word: str) -> None:
        """Say `online`, `offline` or `end`."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()

    def output(self) -> str:
        """Return everything it has printed."""
        return self._log.read_text("utf-8", "replace")


@contextlib.contextmanager
def host(port: int, name: str, group: str, folder: Path) -> Iterator[Host]:
    """Run a host application at a broker on loopback until the end of the block."""
    place = built()
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "host.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            ["java", "-Xmx128m", "-cp", f"{place}/classes:{place}/lib/*", "Host", str(port), name, group],
            stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip
    try:
        yield Host(process, log)
    finally:
        process.kill()
        process.wait(10)
        assert process.stdin is not None
        process.stdin.close()
