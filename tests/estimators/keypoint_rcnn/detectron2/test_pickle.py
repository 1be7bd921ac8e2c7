from __future__ import annotations

import collections
import os
import pickle
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emc.errors import WeightsError
from emc.estimators.keypoint_rcnn.detectron2.pickle import read_pickle


def written(path: Path, document: Any, protocol: int = 2) -> Path:
    path.write_bytes(pickle.dumps(document, protocol=protocol))
    return path


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_arrays_come_back_as_they_were(tmp_path: Path, protocol: int) -> None:
    arrays = {
        "float": np.arange(6, dtype=np.float32).reshape(2, 3),
        "by columns": np.asfortranarray(np.arange(6, dtype=np.float64).reshape(2, 3)),
        "other order": np.arange(4, dtype=">f4"),
        "half": np.array([1.5, -2], dtype=np.float16),
        "whole": np.array([[7]], dtype=np.int64),
        "empty": np.zeros((0, 4), np.float32),
        "yes": np.array([True, False]),
    }
    path = written(tmp_path / "a.pkl", {"model": arrays, "__author__": "Detectron2 Model Zoo"}, protocol)
    document = read_pickle(path)
    assert document["__author__"] == "Detectron2 Model Zoo"
    assert list(document["model"]) == list(arrays)
    for name, value in arrays.items():
        found = document["model"][name]
        assert np.array_equal(found, value)
        assert found.dtype == value.dtype.newbyteorder("=")
        assert found.flags.writeable


def test_scalars_lists_and_ordered_dictionaries(tmp_path: Path) -> None:
    held = {"iteration": np.int64(7), "list": [1, 2.5, "a", None], "kept": collections.OrderedDict(a=np.ones(2))}
    document = read_pickle(written(tmp_path / "a.pkl", held))
    assert int(document["iteration"]) == 7
    assert document["list"] == [1, 2.5, "a", None]
    assert document["kept"]["a"].tolist() == [1, 1]


class Calls:
    """Pickles as a call of anything."""

    def __init__(self, function: Any, *given: Any) -> None:
        self.function, self.given = function, given

    def __reduce__(self) -> tuple[Any, ...]:
        return self.function, self.given


@pytest.mark.parametrize(
    ("function", "given", "named"),
    [
        (os.system, ("touch PLACE",), "system"),
        (eval, ("open('PLACE', 'w')",), "eval"),
        (subprocess.check_call, (["touch", "PLACE"],), "check_call"),
        (np.load, ("PLACE",), "load"),
        (getattr, (str, "join"), "getattr"),
        (Path, ("PLACE",), "pathlib"),
    ],
)
def test_nothing_is_run(tmp_path: Path, function: Any, given: tuple[Any, ...], named: str) -> None:
    place = tmp_path / "made"
    told = [[str(place) if x == "PLACE" else x for x in g] if isinstance(g, list) else g for g in given]
    told = [g.replace("PLACE", str(place)) if isinstance(g, str) else g for g in told]
    path = written(tmp_path / "bad.pkl", {"model": {"a": Calls(function, *told)}})
    with pytest.raises(WeightsError, match=named) as caught:
        read_pickle(path)
    assert str(path) in str(caught.value)
    assert not place.exists()


def test_arrays_of_objects_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "bad.pkl", {"model": {"a": np.array([{"x": 1}], dtype=object)}})
    with pytest.raises(WeightsError, match="number type 'O8'"):
        read_pickle(path)
    path = written(tmp_path / "fields.pkl", {"model": {"a": np.zeros(2, dtype=[("x", "f4")])}})
    with pytest.raises(WeightsError, match="number type"):
        read_pickle(path)


def test_an_array_of_a_class_of_its_own_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "bad.pkl", {"model": {"a": np.ma.masked_array([1.0], [True])}})
    with pytest.raises(WeightsError, match=r"numpy\.ma"):
        read_pickle(path)


def test_too_few_bytes_for_the_shape(tmp_path: Path) -> None:
    whole = pickle.dumps({"a": np.zeros((100, 100), np.float32)}, protocol=2)
    # The shape's two numbers (K d K d) become 255 by 100: more than the bytes that follow.
    assert whole.count(b"KdKd") == 1
    path = tmp_path / "bad.pkl"
    path.write_bytes(whole.replace(b"KdKd", b"K\xffKd"))
    with pytest.raises(WeightsError, match=r"bad\.pkl is not a readable pickle"):
        read_pickle(path)


def test_the_reader_s_own_words_cannot_be_changed(tmp_path: Path) -> None:
    # GLOBAL numpy.dtype, then BUILD with (None, {"__call__": "x"}): sets attributes on what the name stands for.
    path = tmp_path / "bad.pkl"
    path.write_bytes(b"\x80\x02cnumpy\ndtype\n(N}X\x08\x00\x00\x00_meaningX\x01\x00\x00\x00xstb.")
    with pytest.raises(WeightsError, match="change of this reader"):
        read_pickle(path)


def test_a_type_in_the_place_of_a_value(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="a type where a value should be"):
        read_pickle(written(tmp_path / "bad.pkl", {"model": {"a": np.dtype("f4")}}))


@pytest.mark.parametrize("content", [b"", b"hello", b"\x80\x02}q\x00(X\x05\x00\x00\x00mod"])
def test_damaged_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cut.pkl"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"cut\.pkl is not a readable pickle"):
        read_pickle(path)


def test_no_dictionary_and_no_file(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="holds no dictionary"):
        read_pickle(written(tmp_path / "list.pkl", [1, 2]))
    with pytest.raises(WeightsError, match="cannot be read"):
        read_pickle(tmp_path / "none.pkl")


def test_lists_of_lists_of_lists_take_no_longer_than_their_bytes(tmp_path: Path) -> None:
    nested: list[Any] = ["deep"]
    for _ in range(60):
        nested = [nested] * 10  # 10^60 entries, in a few hundred bytes
    document = read_pickle(written(tmp_path / "many.pkl", {"model": nested}))
    for _ in range(60):
        assert len(document["model"]) == 10
        document = {"model": document["model"][-1]}
    assert document["model"] == ["deep"]


def test_a_list_in_itself_is_refused(tmp_path: Path) -> None:
    ring: list[Any] = []
    ring.append(ring)
    with pytest.raises(WeightsError, match=r"not a readable pickle \(RecursionError\)"):
        read_pickle(written(tmp_path / "ring.pkl", {"model": ring}))


def test_ordered_dictionaries_of_python_2(tmp_path: Path) -> None:
    held = {"model": Calls(collections.OrderedDict, [["a", 1], ["b", 2]])}
    assert read_pickle(written(tmp_path / "old.pkl", held)) == {"model": {"a": 1, "b": 2}}
    with pytest.raises(WeightsError, match="not a readable pickle"):
        read_pickle(written(tmp_path / "bad.pkl", {"model": Calls(collections.OrderedDict, 3)}))
