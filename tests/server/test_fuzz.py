"""Requests made at random from what the server says of itself: none may make it fail."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, settings
from tests.server.opening import ADDRESS, TOKEN, opened

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")

CLIP = "front_kick_00007"
# A stream does not end, and a calibration takes the machine.
LEFT_OUT = ("/api/events", "/api/calibration", "/api/calibration/predict")


@pytest.fixture(scope="module")
def served(predicted_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("fuzz")
    with opened(Path(shutil.copytree(predicted_project, folder / "kick.emc"))) as client:
        yield client


@pytest.fixture(scope="module")
def schema(served: TestClient) -> Any:
    document = served.get("/api/openapi.json").json()
    document["paths"] = {path: item for path, item in document["paths"].items() if path not in LEFT_OUT}
    return schemathesis.openapi.from_dict(document)


def test_no_request_makes_the_server_fail(schema: Any, served: TestClient) -> None:
    """Valid, and broken on purpose: never a 5xx, always an answer that says what is wrong."""
    for result in schema.get_all_operations():
        fuzz(result.ok(), served)


@pytest.mark.slow
def test_no_request_makes_the_server_fail_however_long_it_is_tried(schema: Any, served: TestClient) -> None:
    for result in schema.get_all_operations():
        fuzz(result.ok(), served, examples=60)


def fuzz(operation: Any, served: TestClient, examples: int = 6) -> None:
    modes = [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]
    for mode in modes:
        run(operation.as_strategy(generation_mode=mode), served, examples)


def run(cases: Any, served: TestClient, examples: int) -> None:
    from hypothesis import given
    from hypothesis.errors import Unsatisfiable

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def one(case: Any) -> None:
        # Half of all requests should come past the clip's name.
        if "clip" in case.path_parameters and len(str(case.path_parameters["clip"])) % 2 == 0:
            case.path_parameters["clip"] = CLIP
        sent = case.as_transport_kwargs(base_url=ADDRESS)
        headers = {k: v for k, v in (sent.pop("headers") or {}).items() if printable(k) and printable(str(v))}
        headers |= {"origin": ADDRESS, "authorization": f"Bearer {TOKEN}"}
        sent = {key: value for key, value in sent.items() if key in ("method", "url", "params", "json", "content")}
        answer = served.request(**sent, headers=headers)
        assert answer.status_code < 500, (answer.status_code, answer.text, sent)
        if answer.status_code >= 400 and answer.headers["content-type"] == "application/json":
            assert "error" in answer.json()

    try:
        one()
    except Unsatisfiable:
        # An operation without parameters cannot be broken on purpose.
        return


def printable(text: str) -> bool:
    return bool(re.fullmatch(r"[ -~]+", text))
