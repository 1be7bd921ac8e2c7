"""Print what a checkout brings with it as a CycloneDX 1.5 document: what ``make sbom`` writes to ``sbom.json``.

Python packages are those installed (what `pip` reports of each: version, licence, address), the page's are those of
``web/package-lock.json`` that its build bundles, models those embedded in the package, each with the hash of its file.
Hashes of Python packages come from ``constraints.lock`` where it names them.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import re
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
OWN = {"emc-pose", "pip", "setuptools", "wheel"}


def document() -> dict[str, Any]:
    """Return the CycloneDX document."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    own = {
        "type": "application", "bom-ref": "emc-pose", "name": project["name"], "version": project["version"],
        "licenses": [{"license": {"id": project["license"]}}],
    }  # fmt: skip
    parts = [*python_parts(), *page_parts(), *model_parts()]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"timestamp": datetime.now(UTC).isoformat(timespec="seconds"), "component": own},
        "components": parts,
        "dependencies": [{"ref": "emc-pose", "dependsOn": [part["bom-ref"] for part in parts]}],
    }


def python_parts() -> list[dict[str, Any]]:
    """Return the installed Python packages, without EMC and the installers."""
    hashes = locked_hashes()
    parts: list[dict[str, Any]] = []
    found = {dist.metadata["Name"].lower(): dist for dist in importlib.metadata.distributions()}
    for name, dist in sorted(found.items()):
        if name in OWN:
            continue
        purl = f"pkg:pypi/{re.sub(r'[-_.]+', '-', name)}@{dist.version}"
        part = {"type": "library", "bom-ref": purl, "name": name, "version": dist.version, "purl": purl}
        part["licenses"] = [{"license": {"name": licence_of(dist.metadata)}}]
        if known := hashes.get(f"{name}=={dist.version.split('+')[0]}"):
            part["hashes"] = [{"alg": "SHA-256", "content": value} for value in known]
        parts.append(part)
    return parts


def licence_of(metadata: Any) -> str:
    """Return what a package says of its licence, in a few words."""
    classified = [line.rpartition(" :: ")[2] for line in metadata.get_all("Classifier") or () if "License ::" in line]
    words = metadata.get("License-Expression") or " OR ".join(classified) or metadata.get("License") or "not stated"
    return " ".join(words.split())[:80]


def locked_hashes() -> dict[str, list[str]]:
    """Return name==version -> SHA-256 of its files, of ``constraints.lock``."""
    lock = ROOT / "constraints.lock"
    text = lock.read_text().replace("\\\n", " ") if lock.is_file() else ""
    rows = (line.split() for line in text.splitlines() if "--hash=" in line)
    return {row[0]: [word.rpartition(":")[2] for word in row[1:] if word.startswith("--hash=sha256:")] for row in rows}


def page_parts() -> list[dict[str, Any]]:
    """Return the packages that the front end's build puts into the page."""
    packages = json.loads((ROOT / "web" / "package-lock.json").read_text())["packages"]
    parts: list[dict[str, Any]] = []
    for path, package in sorted(packages.items()):
        if not path.startswith("node_modules/") or package.get("dev"):
            continue
        name = path.rpartition("node_modules/")[2]
        purl = f"pkg:npm/{name.replace('@', '%40')}@{package['version']}"
        part = {"type": "library", "bom-ref": purl, "name": name, "version": package["version"], "purl": purl}
        part["licenses"] = [{"license": {"name": package.get("license", "not stated")}}]
        parts.append(part)
    return parts


def model_parts() -> list[dict[str, Any]]:
    """Return the networks and graphs that the package embeds."""
    assets = ROOT / "src" / "emc" / "assets"
    files = sorted([*assets.rglob("*.safetensors"), *assets.rglob("*.onnx")])
    return [
        {
            "type": "machine-learning-model", "bom-ref": f"emc-pose/{file.relative_to(assets).as_posix()}",
            "name": file.relative_to(assets).as_posix(), "licenses": [{"license": {"id": "Apache-2.0"}}],
            "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(file.read_bytes()).hexdigest()}],
        }
        for file in files
    ]  # fmt: skip


if __name__ == "__main__":
    sys.stdout.write(json.dumps(document(), indent=1) + "\n")
