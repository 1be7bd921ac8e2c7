"""Write what the editor's server says of itself (its OpenAPI document), from which the page's types are made.

Usage: python tools/openapi.py > web/openapi.json (then `npm run wire` in web/). Version numbers are left out: a new
release does not change what page and server say to each other.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any


def openapi_document() -> dict[str, Any]:
    """Return the OpenAPI document of the editor's server."""
    from emc.server.app import create_app
    from emc.workflow.project import new_project

    with tempfile.TemporaryDirectory() as folder:
        with new_project(Path(folder) / "wire") as store:
            project = store.folder
        document = create_app(project, "token-of-the-document").openapi()
    document["info"] = {"title": document["info"]["title"], "version": "0"}
    return document


def written() -> str:
    """Return the document as the file holds it: sorted, so that it changes only where the server does."""
    return json.dumps(openapi_document(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(written())
