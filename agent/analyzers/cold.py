"""What is not looked at between two portions, as the bytes of one compressed frame.

A source of twenty signals is a hundred small arrays and objects, most of them mere headers; under zstd they take a
third. They are pickled, and not told as a state is told, because that has to be canonical JSON and takes five times
as long; the bytes stay in this process and are never stored.
"""

from __future__ import annotations

import io
import pickle
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import zstandard

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

LEVEL: Final = 3
"""The next ones save another thirtieth and take twice as long."""


def _array(array: NDArray[Any]) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """Return how to make an array again: half of the time that numpy takes to say it, and none of its memory."""
    assert not array.dtype.hasobject
    return np.ndarray, (array.shape, array.dtype.char, bytearray(array.tobytes()))


def _mapping(mapping: MappingProxyType[Any, Any]) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    return dict, (dict(mapping),)


_HOW: Final[Mapping[type, Callable[[Any], Any]]] = {np.ndarray: _array, MappingProxyType: _mapping}


def frozen(parts: object) -> bytes:
    """Return objects as few bytes; what several of them share they share again."""
    raw = io.BytesIO()
    pickler = pickle.Pickler(raw, 5)
    pickler.dispatch_table = _HOW
    pickler.dump(parts)
    return zstandard.ZstdCompressor(level=LEVEL).compress(raw.getbuffer())


def thawed(raw: bytes) -> Any:
    """Return what `frozen` was given."""
    return pickle.loads(zstandard.ZstdDecompressor().decompress(raw))  # noqa: S301 - our own bytes
