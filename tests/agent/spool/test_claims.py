"""Frames that claim to be huge, in a folder that somebody brings: the library believes them, and nobody else."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
import zstandard

from agent.errors import WireError
from agent.spool import births, blocks, record
from agent.spool.disk import Disk

if TYPE_CHECKING:
    from pathlib import Path

HUGE = zstandard.FRAME_HEADER + b"\xe0" + (2**45).to_bytes(8, "little") + bytes(16)
NAME = "0" * 32


def test_a_tag_dictionary(tmp_path: Path) -> None:
    folder = tmp_path / births.FOLDER
    folder.mkdir()
    (folder / NAME).write_bytes(HUGE)
    assert births.Files(tmp_path, Disk()).read(NAME) is None


def test_the_index_of_a_file_of_blocks() -> None:
    head = blocks._HEADER.pack(blocks._MAGIC, len(HUGE), 0, blocks._crc(HUGE, 0))
    with pytest.raises(WireError, match="damaged"):
        blocks.opened(head + HUGE)


def test_a_record_of_the_journal() -> None:
    head = record._HEADER.pack(record.MAGIC, 1, 1, 1, 100, len(HUGE), bytes(8))
    crc = hashlib.blake2b(head + HUGE, digest_size=8).digest()
    blob = head[:-8] + crc + HUGE
    assert record.look(blob, 0) is not None
    with pytest.raises(WireError, match="claims to be larger"):
        record.unseal(blob, None)
