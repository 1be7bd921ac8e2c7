"""JSON documents."""

from __future__ import annotations

import numpy as np
import pytest

from emc.errors import UsageError
from emc.store.sql import SqlStore


def test_documents(store: SqlStore) -> None:
    assert store.document("card", "first") is None
    assert store.documents("card") == []
    store.put_document("card", "zeta", {"b": [1, None, {"c": 2.5}], "a": "ü"})
    store.put_document("card", "alpha", {"n": np.int64(3), "xs": np.array([1.5, 2.5]), "pair": (8, 2)})
    store.put_document("ladder", "alpha", {})
    assert store.document("card", "zeta") == {"b": [1, None, {"c": 2.5}], "a": "ü"}
    assert list(store.document("card", "zeta") or ()) == ["b", "a"], "keys stay in their order"
    assert store.document("card", "alpha") == {"n": 3, "xs": [1.5, 2.5], "pair": [8, 2]}
    assert store.document("ladder", "alpha") == {}
    store.put_document("card", "zeta", {"new": True})
    assert store.document("card", "zeta") == {"new": True}
    assert store.documents("card") == ["zeta", "alpha"]


def test_what_json_has_not_is_refused(store: SqlStore) -> None:
    with pytest.raises(UsageError, match="document card/first cannot be stored as JSON"):
        store.put_document("card", "first", {"a": {1, 2}})
