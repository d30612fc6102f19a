"""Packages of npm for peers in JavaScript: installed once for each lock file, into `build/` (git ignores it)."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

BUILD = Path(__file__).parents[2] / "build"


def installed(here: Path, name: str) -> Path:
    """Return a folder with the packages that `package.json` and its lock file in `here` name.

    Args:
        here: Folder of the peer.
        name: What it is called below `build/`.
    """
    manifest = [here / "package.json", here / "package-lock.json"]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in manifest)).hexdigest()[:12]
    folder = BUILD / f"{name}-{digest}"
    if not folder.exists():
        npm = shutil.which("npm")
        assert npm, "npm is not installed: run `make test`, it installs what the tests need"
        BUILD.mkdir(exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=BUILD, prefix=f"{name}-new-"))
        for path in manifest:
            shutil.copy(path, fresh)
        done = subprocess.run(
            [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
            cwd=fresh, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"npm ci failed:\n{done.stderr[-4000:]}"
        try:
            fresh.rename(folder)
        except OSError:  # another test run was faster
            shutil.rmtree(fresh)
    return folder
