"""Detectron2's ``.pkl`` checkpoints without running what is in them: a reader of pickled arrays and nothing else.

A pickle is a program. This reader knows six words of its language (array, type, scalar, ordered dictionary, text to
bytes, no bytes), each with a meaning of our own that checks what it is given; any other word is refused by name.
NumPy's own reconstruction is never called.
"""

from __future__ import annotations

import io
import pickle
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from emc.errors import WeightsError

_TYPE = re.compile(r"[<>|=]?([fiu][1248]|b1)")
_ORDERS = ("<", ">", "|", "=")


class _Forbidden(Exception):  # noqa: N818  # never leaves this module
    pass


class _Type:
    """A number type as NumPy pickles it: its code, then its byte order."""

    def __init__(self, code: object = "", *_: object) -> None:
        text = code.decode("ascii", "replace") if isinstance(code, bytes) else code
        if not isinstance(text, str) or not _TYPE.fullmatch(text):
            raise _Forbidden(f"the number type {text!r}")
        self.dtype = np.dtype(text)

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) < 5 or any(part is not None for part in state[2:5]):
            raise _Forbidden("a number type with fields")
        order = state[1].decode("ascii", "replace") if isinstance(state[1], bytes) else state[1]
        if order not in _ORDERS:
            raise _Forbidden(f"the byte order {order!r}")
        self.dtype = np.dtype(f"{order}{self.dtype.str[1:]}")


class _Array:
    """An array as NumPy pickles it: made empty, then told shape, type, order and bytes."""

    def __init__(self, *_: object) -> None:
        self.values = np.zeros(0, np.float32)

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise _Forbidden("an array that is told in another way than NumPy's")
        _, shape, kind, by_columns, raw = state
        self.values = _array(raw, kind, shape, "F" if by_columns else "C")


class _Word:
    """What a name in a pickle stands for: something to call, that a pickle cannot change."""

    __slots__ = ("_meaning",)

    def __init__(self, meaning: Callable[..., Any]) -> None:
        self._meaning = meaning

    def __call__(self, *given: Any) -> Any:
        return self._meaning(*given)

    def __setstate__(self, state: object) -> None:
        raise _Forbidden("a change of this reader itself")


def _array(raw: object, kind: object, shape: object, order: str) -> np.ndarray:
    content = raw.encode("latin1") if isinstance(raw, str) else raw
    if not isinstance(content, bytes | bytearray) or not isinstance(kind, _Type):
        raise _Forbidden("an array without numbers")
    if not isinstance(shape, tuple) or not all(isinstance(side, int) and side >= 0 for side in shape):
        raise _Forbidden(f"an array of shape {shape!r}")
    flat = np.frombuffer(content, dtype=kind.dtype)
    # A copy of our own, in this machine's byte order: the file's bytes are not kept.
    values = flat.reshape(shape, order="F" if order == "F" else "C")
    return np.array(values, dtype=kind.dtype.newbyteorder("="), order="C")


def _from_buffer(raw: object, kind: object, shape: object, order: object) -> np.ndarray:
    return _array(raw, kind, shape, str(order))


def _scalar(kind: object, raw: object = b"") -> np.ndarray:
    return _array(raw, kind, (), "C")


def _as_bytes(text: object, encoding: object = "latin1") -> bytes:
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1", "ascii", "utf-8"):
        raise _Forbidden(f"the encoding {encoding!r}")
    return text.encode(encoding)


# NumPy 2 renamed its inner packages; files of both times are read.
_WORDS: Mapping[tuple[str, str], _Word] = {
    # Python 2 gave it all its pairs at once.
    ("collections", "OrderedDict"): _Word(lambda pairs=(): dict(pairs)),
    ("_codecs", "encode"): _Word(_as_bytes),
    # What old pickles have for no bytes at all.
    **{(module, "bytes"): _Word(lambda: b"") for module in ("builtins", "__builtin__")},
    ("numpy", "dtype"): _Word(_Type),
    ("numpy", "ndarray"): _Word(_Array),
    **{
        (f"numpy.{core}.{module}", name): _Word(meaning)
        for core in ("core", "_core")
        for module, name, meaning in (
            ("multiarray", "_reconstruct", _Array),
            ("multiarray", "scalar", _scalar),
            ("numeric", "_frombuffer", _from_buffer),
        )
    },
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _WORDS[module, name]
        except KeyError:
            raise _Forbidden(f"{module}.{name}") from None

    def persistent_load(self, pid: Any) -> Any:
        raise _Forbidden("a reference to something outside of it")


def read_pickle(path: Path) -> dict[str, Any]:
    """Return the dictionary in a ``.pkl`` file: texts, numbers, lists, dictionaries and NumPy arrays of numbers.

    Raises `WeightsError` that names the file, and what it holds beside those.
    """
    try:
        document = _plain(_Reader(io.BytesIO(path.read_bytes()), encoding="latin1").load())
    except _Forbidden as error:
        raise WeightsError(
            f"{path} asks for {error}, which a file of weights does not need: it was not opened further; take the "
            "file from Detectron2's Model Zoo, or save its arrays alone"
        ) from error
    except OSError as error:
        raise WeightsError(f"{path} cannot be read ({error}): check the path") from error
    except Exception as error:  # noqa: BLE001  # damaged bytes raise whatever the reader stumbles over
        raise WeightsError(
            f"{path} is not a readable pickle ({type(error).__name__}): download or copy it again"
        ) from error
    if not isinstance(document, dict):
        raise WeightsError(f"{path} holds no dictionary: take a checkpoint of Detectron2")
    return document


def _plain(value: Any, known: dict[int, Any] | None = None) -> Any:
    """Return a value with arrays in the place of their stand-ins.

    known : what has been done already, by identity: a few bytes can name one list so often that it would never end.
    """
    known = {} if known is None else known
    if id(value) in known:
        return known[id(value)]
    if isinstance(value, _Array):
        return value.values
    if isinstance(value, dict):
        plain: Any = {key: _plain(part, known) for key, part in value.items()}
    elif isinstance(value, list | tuple):
        plain = [_plain(part, known) for part in value]
    elif isinstance(value, _Type | _Word):
        raise _Forbidden("a type where a value should be")
    else:
        return value
    known[id(value)] = plain
    return plain
