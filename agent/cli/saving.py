"""Writes an edited configuration file so that a power cut, a second editor or a mistake of ours cannot spoil it.

The new content is checked as `tsq-agent check` does, written beside the file, forced to the disk and put in the
old one's place in one step; rights and owner stay. What stood there before is kept beside it as `FILE.bak`, one
generation. A file that somebody saved meanwhile is left alone. A link is followed: the file behind it changes.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from agent.config.load import read
from settings.errors import ConfigError
from settings.language import Text
from settings.load import line

if TYPE_CHECKING:
    from settings.language import Language


def text_of(path: Path, language: Language) -> str:
    """Return a file's content with its line ends and its byte order mark.

    Raises:
        ConfigError: it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as exc:
        raise ConfigError(f"{path}: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        words = Text("not UTF-8: save it as UTF-8", "UTF-8이 아닙니다. UTF-8로 다시 저장하십시오")
        raise ConfigError(f"{path}: {words(language)}") from exc


def save(path: Path, before: str, after: str, language: Language) -> None:
    """Put `after` in the place of `before`.

    Raises:
        ConfigError: the new content is no correct configuration, somebody has changed the file meanwhile, or the
            disk refuses; the file is as it was.
    """
    config, problems = read(after.encode(), path.parent)
    if config is None:
        said = "\n".join(line(problem, str(path), language) for problem in problems)
        head = Text("not written, it would not pass the check:", "검사를 통과하지 못하므로 저장하지 않았습니다:")
        raise ConfigError(f"{path}: {head(language)}\n{said}")
    if text_of(path, language) != before:
        changed = Text(
            "somebody has changed it meanwhile: nothing written, try again",
            "그 사이 파일이 변경되었습니다. 저장하지 않았습니다. 다시 실행하십시오",
        )
        raise ConfigError(f"{path}: {changed(language)}")
    try:
        _replace(path.resolve(), before.encode(), after.encode())
    except OSError as exc:
        failed = Text("cannot be written", "저장할 수 없습니다")
        raise ConfigError(f"{path}: {failed(language)}: {exc.strerror}") from exc


def create(path: Path, text: str) -> None:
    """Write a new file; it is on the disk when this returns.

    Raises:
        FileExistsError: it is there already.
        OSError: the disk refuses; nothing is left behind.
    """
    with path.open("xb") as file:  # unlike a rename, it never replaces what is there
        try:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            path.unlink()
            raise
    _sync(path.parent)


def put(path: Path, content: bytes, like: Path) -> None:
    """Write a file whole or not at all, on the disk when this returns, with owner and mode of another one.

    Raises:
        OSError: the disk refuses; the file is as it was.
    """
    _beside(path, content, like.stat()).replace(path)
    _sync(path.parent)


def _replace(path: Path, before: bytes, after: bytes) -> None:
    status = path.stat()
    backup = path.with_name(path.name + ".bak")
    _beside(path, before, status).replace(backup)
    _beside(path, after, status).replace(path)
    _sync(path.parent)


def _beside(path: Path, content: bytes, like: os.stat_result) -> Path:
    """Write a file in the folder of `path`, on the disk when this returns."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    made = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            os.fchmod(handle, like.st_mode & 0o7777)
            if (like.st_uid, like.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(handle, like.st_uid, like.st_gid)
            file.flush()
            os.fsync(handle)
    except BaseException:
        made.unlink()
        raise
    return made


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
