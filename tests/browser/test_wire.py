"""The types of the editor's page follow from the server's OpenAPI document."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_committed_document_is_the_servers() -> None:
    spec = importlib.util.spec_from_file_location("openapi_tool", ROOT / "tools" / "openapi.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    committed = (ROOT / "web" / "openapi.json").read_text("utf-8")
    assert committed == tool.written(), "run `python tools/openapi.py > web/openapi.json` and `npm run wire` in web/"
