"""What is said of a run: done, checked, sent back."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from emc.server.schemas.base import Request


class ReviewIn(Request):
    """How far a run is; one that is sent back needs a note that says why."""

    state: Literal["open", "done", "checked", "sent back"]
    note: str = Field("", max_length=2000)


class ReviewOut(BaseModel):
    """What was said last of a run, by whom and when ("" where nobody said anything).

    edited_since: whether the project was edited after that.
    """

    run: str
    state: Literal["open", "done", "checked", "sent back"]
    note: str
    by: str
    at: str
    edited_since: bool
