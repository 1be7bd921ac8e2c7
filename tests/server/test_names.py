from __future__ import annotations

import pytest

from emc.server.names import Names


def test_two_browsers_never_sign_with_the_same_name() -> None:
    names = Names()
    said = [names.signed(browser, "ana") for browser in ("one-1234", "two-1234", "one-1234", "three-12", "two-1234")]
    assert said == ["ana", "ana 2", "ana", "ana 3", "ana 2"]
    assert names.signed("two-1234", "Bo") == "Bo"
    assert names.signed("two-1234", "ana 2") == "ana 2"
    assert names.signed("four-123", "ana 2") == "ana 2 2"


def test_the_second_browser_without_any_name_is_somebody() -> None:
    names = Names()
    assert [names.signed(browser, "") for browser in ("one-1234", "two-1234", "one-1234")] == ["", "somebody 2", ""]


def test_a_script_signs_as_it_wants() -> None:
    names = Names()
    assert [names.signed("one-1234", "ana"), names.signed("", "ana")] == ["ana", "ana"]


def test_only_so_many_names_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emc.server.names.KEPT", 2)
    names = Names()
    for browser in ("one-1234", "two-1234", "three-12"):
        names.signed(browser, browser[:3])
    assert names.signed("three-12", "one") == "one"
    assert names.signed("one-1234", "thr") == "thr 2"
