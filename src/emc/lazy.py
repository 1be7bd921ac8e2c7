"""What costs a command its start is loaded when it is first used: names behind a room's door, and heavy libraries.

PyTorch costs seconds to import, SciPy, OpenCV, PyAV and the database library tenths; most commands and most answers of
the editor need none of them. Two threads that ask at once wait for one import, as for any import.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def lazy_door(room: str, names: Mapping[str, Sequence[str]]) -> tuple[Callable[[str], Any], list[str]]:
    """Return a room's ``__getattr__`` and ``__all__``: each name is loaded from its module when it is first used.

    room : the package's ``__name__``. names : by module, what that module gives. The same imports stand under
    ``if TYPE_CHECKING`` beside the call, for type checkers and the rules of imports. A name must not be a submodule's
    too: importing that would put the module in its place.
    """
    places = {name: module for module, given in names.items() for name in given}

    def load(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        value = getattr(import_module(places[name]), name)
        setattr(sys.modules[room], name, value)
        return value

    return load, sorted(places)


class LazyLibrary:
    """A library that is imported with the first attribute asked of it.

    For modules that use a heavy library inside functions only, in several of them; one function imports it itself.

    Raises
    ------
    ImportError : on first use, where the library is missing.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(import_module(self._name), attribute)
        # From now on it is found like any attribute: inner loops call these functions.
        setattr(self, attribute, value)
        return value
