"""JSON of any size, entry by entry, equal to what the whole file says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import emc.formats.json_stream as module
import emc.formats.whole_files as whole_files
from emc.errors import InputError
from emc.formats.json_stream import Entry, json_entries
from emc.formats.poses.coco import CocoFormat
from emc.formats.whole_files import read_json

DOCUMENTS = [
    {"a": [{"b": 1.5}, [], None], "empty": [], "c": {"d": [1, 2]}, "e": 'ü\n"]', "n": -12},
    [{"x": 1}, 2, "three", [4, [5]]],
    [],
    {},
    17,
]


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("chunk", [1, 3, 1 << 20])
def test_the_entries_are_the_document(tmp_path: Path, monkeypatch, document: object, chunk: int) -> None:
    monkeypatch.setattr(module, "CHUNK", chunk)
    monkeypatch.setattr(whole_files, "LARGE", 0)
    file = tmp_path / "a.json"
    file.write_text(json.dumps(document, indent=1), encoding="utf-8")
    assert read_json(file) == document


def test_places(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text('{"a": [7, 8], "b": 9, "c": []}')
    assert list(json_entries(file)) == [Entry("a", 0, 7), Entry("a", 1, 8), Entry("b", -1, 9), Entry("c", -1, [])]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ('{"a": [1, 2', "character 11: it is cut off"),
        ('{"a": [1 2]}', "character 9: , or ] is missing"),
        ("{'a': 1}", "a name in quotes is missing"),
        ('{"a": 1} more', "more after its end"),
        ('{"a": nonsense}', "character 6: Expecting value"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": ' + "9" * 5000 + "}", "Exceeds the limit"),
    ],
)
def test_what_is_no_json_is_one_line(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "a.json"
    file.write_text(text)
    with pytest.raises(InputError, match=words) as caught:
        list(json_entries(file))
    assert "\n" not in str(caught.value)


def test_labels_of_a_large_file_are_those_of_a_small_one(tmp_path: Path, monkeypatch) -> None:
    joints = [f"joint_{number}" for number in range(3)]
    document = {
        "info": {"year": 2026},
        "annotations": [
            {"id": 5, "image_id": 1, "category_id": 1, "keypoints": [1, 2, 2, 0, 0, 0, 3, 4, 1], "mask": [[0.5] * 40]}
        ],
        "images": [{"id": 1, "file_name": "a.png", "width": 9, "height": 9}],
        "categories": [{"id": 1, "name": "person", "keypoints": joints}],
    }
    file = tmp_path / "a.json"
    file.write_text(json.dumps(document))
    small = CocoFormat().read(file)
    monkeypatch.setattr(whole_files, "LARGE", 0)
    large = CocoFormat().read(file)
    assert (large.images, large.extra, large.categories) == (small.images, small.extra, small.categories)
    assert large.persons[0].extra == small.persons[0].extra == {"mask": [[0.5] * 40]}
    assert large.persons[0].xy.tolist()[0] == [1, 2]
    CocoFormat().write(tmp_path / "b.json", large)
    assert json.loads((tmp_path / "b.json").read_text())["annotations"][0]["mask"] == [[0.5] * 40]
