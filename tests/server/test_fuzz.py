"""Requests made at random from what the server says of itself: none may make it fail."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
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
    statuses = Counter(status for result in schema.get_all_operations() for status in fuzz(result.ok(), served))
    assert max(statuses) < 500, statuses
    # Requests that were all refused at the door would say nothing: some must come through, some must be refused.
    assert min(statuses) < 300, statuses
    assert any(status >= 400 for status in statuses), statuses


@pytest.mark.slow
def test_no_request_makes_the_server_fail_however_long_it_is_tried(schema: Any, served: TestClient) -> None:
    operations = [result.ok() for result in schema.get_all_operations()]
    statuses = Counter(status for operation in operations for status in fuzz(operation, served, examples=60))
    assert max(statuses) < 500, statuses
    assert sum(statuses.values()) > 60 * len(operations)


def fuzz(operation: Any, served: TestClient, examples: int = 6) -> list[int]:
    """Return the statuses of the answers to valid and to broken requests."""
    modes = [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]
    return [status for mode in modes for status in run(operation.as_strategy(generation_mode=mode), served, examples)]


def run(cases: Any, served: TestClient, examples: int) -> list[int]:
    from hypothesis import given
    from hypothesis.errors import Unsatisfiable

    statuses: list[int] = []

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
        statuses.append(answer.status_code)
        assert answer.status_code < 500, (answer.status_code, answer.text, sent)
        if answer.status_code >= 400 and answer.headers["content-type"] == "application/json":
            assert "error" in answer.json()

    # An operation without parameters cannot be broken on purpose.
    with suppress(Unsatisfiable):
        one()
    return statuses


def printable(text: str) -> bool:
    return bool(re.fullmatch(r"[ -~]+", text))
