"""A session that is closed by two threads at once: by who stops, and by who finds that it is over."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any

from transport.session import Session


class Network:
    """A thread that minds two who wait for it at once, as those of Python 3.11 may."""

    def __init__(self) -> None:
        self.waiting = self.most = 0

    def join(self, _seconds: float) -> None:
        """Note how many wait."""
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        time.sleep(0.05)
        self.waiting -= 1


def test_two_that_close_one_session_at_once_wait_for_its_thread_one_after_the_other() -> None:
    network = Network()
    session: Any = Session.__new__(Session)
    session.over, session.answered, session._ending = threading.Event(), threading.Event(), threading.Lock()
    session._client = SimpleNamespace(
        disconnect=session.over.set, drop_out_messages=lambda: None, _thread=network, _thread_terminate=False
    )
    closers = [threading.Thread(target=session.close) for _ in range(2)]
    for one in closers:
        one.start()
    for one in closers:
        one.join(5)
    assert session.answered.is_set()
    assert network.most == 1
