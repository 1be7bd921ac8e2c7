"""The editor of each participant: one application per project of a participant, opened when first asked for."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import numpy as np
from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from emc.pose.records import Pose, Provenance
from emc.pose.skeletons import skeleton_named
from emc.server.app import create_app
from emc.server.security import Access
from emc.study.plan import Step, Task
from emc.study.roster import Study
from emc.study.session import Session
from emc.workflow.editing import Editing


class ParticipantEditors:
    """Open editors by participant and step; those of steps that are over are closed."""

    def __init__(self, study: Study, access: Access) -> None:
        self._study = study
        self._access = access
        self._open: dict[str, tuple[int, FastAPI, AsyncExitStack]] = {}
        self._lock = asyncio.Lock()

    async def of(self, session: Session) -> FastAPI:
        """Return the editor of a participant's present step."""
        async with self._lock:
            held = self._open.get(session.code)
            if held is not None and held[0] == session.state.step:
                return held[1]
            if held is not None:
                await _close(held[1], held[2])
            folder = await run_in_threadpool(self._study.workspace, session)
            app = await run_in_threadpool(create_app, folder, self._access.token, access=self._access, author="person")
            stack = AsyncExitStack()
            await stack.enter_async_context(app.router.lifespan_context(app))
            self._open[session.code] = (session.state.step, app, stack)
            return app

    async def leave(self, code: str) -> None:
        """Close a participant's editor, if one is open."""
        async with self._lock:
            held = self._open.pop(code, None)
            if held is not None:
                await _close(held[1], held[2])

    def end_streams(self) -> None:
        """End the event streams, so that the server can stop."""
        for _, app, _ in list(self._open.values()):
            app.state.hub.close()

    async def close(self) -> None:
        """Close all editors."""
        for code in list(self._open):
            await self.leave(code)


async def _close(app: FastAPI, stack: AsyncExitStack) -> None:
    app.state.hub.close()
    await stack.aclose()


class EditedJoints:
    """What a participant made of a clip in the editor, as a check of a session asks for it."""

    def __init__(self, editing: Editing, task: Task) -> None:
        self._editing = editing
        self._task = task

    def __call__(self, _: Step, first: int, last: int) -> np.ndarray:
        """Return (T, J, 2) joints of the person on frames first..last, NaN where it has none."""
        poses = self._editing.poses(self._task.clip, first, last)
        found = np.full((last - first + 1, len(skeleton_named(self._task.skeleton)), 2), np.nan)
        for frame in range(first, last + 1):
            pose = _of_person([pose for pose in poses if pose.frame == frame], self._task.person)
            if pose is not None:
                found[frame - first] = pose.xy
        return found


def _of_person(poses: list[Pose], person: int) -> Pose | None:
    """Return the person's pose; where the model lost the person, the one that the participant put there."""
    same = [pose for pose in poses if pose.person == person]
    if same:
        return same[0]
    made = [pose for pose in poses if (pose.provenance >= Provenance.HUMAN).any()]
    return max(made, key=lambda pose: int((pose.provenance >= Provenance.HUMAN).sum()), default=None)
