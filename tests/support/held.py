"""What an object holds in memory, counted and not sampled: every object that can be reached from it, once.

Definitions that others hold anyway (sources, signals), types, functions and modules are left out. An array counts
with its header and the memory that it keeps alive; a view with its base.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter
from enum import Enum
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Final

import numpy as np

from agent.frame import Signal, Source

FOREIGN: Final = (type, FunctionType, BuiltinFunctionType, ModuleType, Enum, Source, Signal)
SMALL: Final = range(-5, 257)
"""Integers that Python makes once for all."""


def held(*roots: object, apart: tuple[object, ...] = ()) -> Counter[str]:
    """Return bytes by the name of the class of our own that holds them.

    Args:
        roots: Where to begin.
        apart: What is not counted, nor what can be reached from it alone.
    """
    found: Counter[str] = Counter()
    seen = {id(one) for one in apart}
    todo = [(one, type(one).__name__) for one in roots]
    while todo:
        one, owner = todo.pop()
        if id(one) in seen or isinstance(one, FOREIGN) or one is None:
            continue
        if isinstance(one, MethodType):  # of somebody else, as a rule
            continue
        seen.add(id(one))
        if type(one).__module__.startswith("agent."):
            owner = type(one).__name__
        if isinstance(one, np.ndarray):
            found[owner] += sys.getsizeof(one)
            if one.base is not None:
                todo.append((one.base, owner))
            continue
        if type(one) is int and one in SMALL:
            continue
        found[owner] += sys.getsizeof(one)
        todo += [(other, owner) for other in gc.get_referents(one)]
    return found
