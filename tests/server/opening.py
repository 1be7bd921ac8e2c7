"""Start the application on a project folder."""

from __future__ import annotations

from pathlib import Path

from fastapi.testclient import TestClient

from emc.server.app import create_app

TOKEN = "a-token-for-tests-only"
ADDRESS = "http://127.0.0.1:8731"


def opened(project: Path) -> TestClient:
    """Return a client of a freshly started server, with the cookie and origin that its page would have."""
    app = create_app(project, TOKEN, author="ana")
    client = TestClient(app, base_url=ADDRESS, headers={"origin": ADDRESS})
    client.cookies.set(app.state.access.cookie, TOKEN)
    return client
