from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def document() -> dict:
    done = subprocess.run([sys.executable, str(ROOT / "tools" / "sbom.py")], capture_output=True, check=True, text=True)
    return json.loads(done.stdout)


def parts(document: dict, kind: str) -> dict[str, dict]:
    return {part["name"]: part for part in document["components"] if part["bom-ref"].startswith(kind)}


def test_it_is_cyclonedx_of_this_package(document: dict) -> None:
    assert (document["bomFormat"], document["specVersion"], document["version"]) == ("CycloneDX", "1.5", 1)
    assert document["metadata"]["component"]["name"] == "emc-pose"
    refs = [part["bom-ref"] for part in document["components"]]
    assert len(refs) == len(set(refs))
    assert document["dependencies"] == [{"ref": "emc-pose", "dependsOn": refs}]


def test_every_part_has_a_version_and_a_licence(document: dict) -> None:
    for part in document["components"]:
        assert part["type"] in ("library", "machine-learning-model")
        assert part["type"] != "library" or part["version"] in part["purl"]
        (licence,) = part["licenses"]
        assert licence["license"].get("id") or licence["license"]["name"]


def test_what_is_installed_bundled_and_embedded_is_listed(document: dict) -> None:
    assert {"numpy", "torch", "fastapi"} <= parts(document, "pkg:pypi/").keys()
    page = parts(document, "pkg:npm/")
    assert {name: part["licenses"][0]["license"]["name"] for name, part in page.items()}.items() >= {
        ("preact", "MIT"),
        ("three", "MIT"),
    }
    assert "vite" not in page
    model = parts(document, "emc-pose/")["nano/model.safetensors"]
    content = (ROOT / "src" / "emc" / "assets" / "nano" / "model.safetensors").read_bytes()
    assert model["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}]


def test_licences_of_what_the_page_bundles_are_in_the_package(document: dict) -> None:
    for name in parts(document, "pkg:npm/"):
        assert (ROOT / "licenses" / f"{name.replace('/', '-').lstrip('@')}.txt").is_file()
