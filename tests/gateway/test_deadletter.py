"""Dead letters on a real disk."""

from __future__ import annotations

import os
import resource
import signal
import stat
import threading
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from contract.payload import Rejected
from gateway.deadletter import DeadLetters, DeadLettersFull, read
from gateway.letter import DeadLetter
from tests.gateway.builders import T0, FixedClock

if TYPE_CHECKING:
    from pathlib import Path


def letter(text: str = "no type", at: int = T0) -> DeadLetter:
    return DeadLetter(
        at=at,
        topic="tsq/1/hanil/edge-1/data",
        reason=text,
        spool="spool-1",
        birth="00" * 16,
        rejected=[Rejected(1, "0" * 16, text, [("press-plc.fast", "5", "6", 2)])],
        faults=[{"content": {"value": 10**40, "이름": "프레스"}}],
        points=[{"measurement": "press-1", "fields": {"a_f": 1.0, "b_i": 2**63 - 1, "c_b": True}}],
    )


def unreadable(text: str, size: int = 4) -> DeadLetter:
    return DeadLetter(at=T0, topic="t", reason=text, payload="A" * size)


def letters(folder: Path) -> list[DeadLetter | None]:
    return [found for _, _, found in read(folder)]


def test_what_was_kept_is_read_back_exactly(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "letters"
    kept = DeadLetters(folder, 10**6, "gw-1", FixedClock())
    assert kept.append(letter())
    assert kept.append(unreadable("not zstd"))
    kept.append(letter("another"))
    found = [entry for entry in letters(folder) if entry]
    assert sorted(found, key=lambda entry: entry.reason) == [letter("another"), letter(), unreadable("not zstd")]
    kept.close()


def test_a_letter_is_on_the_disk_before_the_caller_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        real(handle)
        if stat.S_ISREG(os.fstat(handle).st_mode):
            synced.append(os.fstat(handle).st_size)

    monkeypatch.setattr(os, "fsync", fsync)
    kept = DeadLetters(tmp_path, 10**6, "gw-1", FixedClock())
    for text in ("first", "second"):
        kept.append(letter(text))
        (path,) = tmp_path.iterdir()
        assert synced[-1] == path.stat().st_size
    assert len(synced) == 2
    kept.close()


def test_nobody_else_may_read_them(tmp_path: Path) -> None:
    kept = DeadLetters(tmp_path / "letters", 10**6, "gw-1", FixedClock())
    kept.append(letter())
    kept.close()
    (path,) = (tmp_path / "letters").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "letters").stat().st_mode) == 0o700


def test_content_that_comes_again_is_written_once(tmp_path: Path) -> None:
    kept = DeadLetters(tmp_path, 10**6, "gw-1", FixedClock())
    assert kept.append(letter())
    assert not kept.append(letter(at=T0 + 5))
    assert kept.append(letter("another reason"))
    assert len(letters(tmp_path)) == 2
    kept.close()


def test_when_the_folder_is_full_nothing_is_deleted_and_the_caller_knows(tmp_path: Path) -> None:
    clock = FixedClock()
    kept = DeadLetters(tmp_path, 1200, "gw-1", clock)
    kept.append(letter("first"))
    kept.append(letter("second"))
    for number in range(2):
        with pytest.raises(DeadLettersFull, match="max_size"):
            kept.append(letter(f"too many {number}"))
    assert [found.reason for found in letters(tmp_path) if found] == ["first", "second"]
    for path in tmp_path.iterdir():
        path.unlink()  # the operator has moved the files away, under a running gateway
    clock.advance(0.2)
    assert kept.append(letter("too many 0"))
    assert [found.reason for found in letters(tmp_path) if found] == ["too many 0"]
    kept.close()


def test_a_disk_that_refuses_is_told_and_the_next_letter_is_whole(tmp_path: Path) -> None:
    kept = DeadLetters(tmp_path, 10**6, "gw-1", FixedClock())
    kept.append(letter("first"))
    (path,) = tmp_path.iterdir()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20, before[1]))  # room for half a line
    try:
        with pytest.raises(DeadLettersFull, match="20 of"):
            kept.append(letter("second"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert kept.append(letter("second"))
    assert {found.reason if found else None for found in letters(tmp_path)} == {"first", None, "second"}
    kept.close()


def test_a_torn_line_hides_no_other(tmp_path: Path) -> None:
    kept = DeadLetters(tmp_path, 10**6, "gw-1", FixedClock())
    kept.append(letter("first"))
    kept.append(letter("second"))
    kept.close()
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-20])
    again = DeadLetters(tmp_path, 10**6, "gw-2", FixedClock())
    again.append(letter("third"))
    again.close()
    found = {entry.reason if entry else None for entry in letters(tmp_path)}
    assert found == {"first", None, "third"}


def test_a_body_nested_too_deeply_is_left_out_but_not_its_reason(tmp_path: Path) -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    kept = DeadLetters(tmp_path, 10**6, "gw-1", FixedClock())
    kept.append(DeadLetter(at=T0, topic="t", reason="deep", faults=[deep]))
    kept.close()
    assert [found.reason for found in letters(tmp_path) if found] == ["deep"]


def test_what_cannot_be_read_takes_half_of_the_room_whoever_wrote_it(tmp_path: Path) -> None:
    one, two = (DeadLetters(tmp_path, 5200, worker, FixedClock()) for worker in ("gw-1", "gw-2"))
    assert one.append(unreadable("first", 900))
    assert two.append(unreadable("second", 900))
    for number in range(20):
        with pytest.raises(DeadLettersFull, match=r"of 1950 bytes.*max_size"):
            one.append(unreadable(f"too many {number}", 900))
    assert one.append(letter())
    assert two.append(letter("another"))
    assert {entry.reason for entry in letters(tmp_path) if entry} == {"first", "second", "no type", "another"}
    one.close()
    again = DeadLetters(tmp_path, 5200, "gw-3", FixedClock())  # it counts what earlier processes wrote
    with pytest.raises(DeadLettersFull, match="of 1950 bytes"):
        again.append(unreadable("third", 900))
    two.close()
    again.close()


def test_one_agent_leaves_room_for_the_others_whichever_worker_it_meets(tmp_path: Path) -> None:
    one, two = (DeadLetters(tmp_path, 40_000, worker, FixedClock()) for worker in ("gw-1", "gw-2"))
    hostile = [replace(letter(f"{n}"), topic="tsq/1/hanil/hostile/data") for n in range(200)]
    refused = 0
    for number, made in enumerate(hostile):
        try:
            (one, two)[number % 2].append(made)
        except DeadLettersFull as exc:
            assert "hanil/hostile has" in str(exc)  # noqa: PT017 - one of many
            refused += 1
    assert 100 < refused < 150
    for number in range(10):
        assert (one, two)[number % 2].append(letter(f"of an honest agent {number}"))
    one.close()
    two.close()


def test_what_cannot_be_read_never_makes_a_rejection_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.deadletter._REMEMBERED", 3)
    kept = DeadLetters(tmp_path, 10**6, "gw-1", FixedClock())
    assert kept.append(letter())
    assert all(kept.append(unreadable(f"{number}")) for number in range(5))
    assert not kept.append(letter())
    kept.close()


def test_a_worker_that_is_frozen_while_it_keeps_a_birth_keeps_no_other_waiting(tmp_path: Path) -> None:
    frozen, other = (DeadLetters(tmp_path, 10**8, worker, FixedClock()) for worker in ("w-1", "w-2"))
    begun, go_on, done = threading.Event(), threading.Event(), threading.Event()

    def birth() -> bytes:
        begun.set()
        go_on.wait(60)
        return b"{}"

    def write() -> None:
        assert other.append(letter("second"), lambda: b"{}")
        done.set()

    threads = [
        threading.Thread(target=frozen.append, args=(letter("first"), birth)),
        threading.Thread(target=write),
    ]
    threads[0].start()
    assert begun.wait(60)
    threads[1].start()
    in_time = done.wait(10)
    go_on.set()
    for thread in threads:
        thread.join()
    for one in (frozen, other):
        one.close()
    assert in_time
    assert len(letters(tmp_path)) == 2
    assert sorted(path.suffix for path in (tmp_path / "births").iterdir()) == ["", ".zst"]
