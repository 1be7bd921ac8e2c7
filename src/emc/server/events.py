"""Who is here and what happens: news for the pages, edits of other processes included."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from emc.errors import EmcError
from emc.pose.records import Edit
from emc.store import SqlStore

POLL_SECONDS = 0.5
"""How often the project is asked for edits, runs and progress that other processes made."""
BEAT_SECONDS = 15.0
"""A comment keeps a silent stream open past proxies, and finds out that its page is gone."""
MOST_STREAMS = 12
"""Pages that one person may have open at once: each costs a little at every piece of news."""
ALL_STREAMS = 300
QUEUE = 1000
"""News that wait for one page; a page that falls further behind is asked to reload."""
MOST_JOINTS = 2000


@dataclass(frozen=True, slots=True)
class News:
    """One piece of news: what happened, the edit that it is of (0: none), and its data."""

    event: str
    data: Mapping[str, Any]
    id: int = 0

    def line(self, page: str = "") -> str:
        """Return it as the ``EventSource`` of a page reads it; of an edit it also says whether it is the page's own."""
        head = f"id: {self.id}\n" if self.id else ""
        data = dict(self.data)
        if self.event == "edit":
            data["own"] = bool(page) and data["page"] == page
        return f"{head}event: {self.event}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"


@dataclass(frozen=True, slots=True)
class Person:
    """A page that is open, and where in the project it is."""

    page: str
    name: str
    clip: str | None = None
    frame: int | None = None
    person: int | None = None
    joint: int | None = None
    since: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))


class Hub:
    """Takes news from any thread and hands them to every page that listens.

    watch : called now and then while somebody listens; returns the state of the calibration, which is news where it
    changed.
    """

    def __init__(self, store: SqlStore, watch: Callable[[], Mapping[str, Any]] | None = None) -> None:
        self._store = store
        self._watch = watch
        self._lock = threading.Lock()
        self._listeners: dict[object, tuple[asyncio.AbstractEventLoop, asyncio.Queue[News | None]]] = {}
        self._people: dict[object, Person] = {}
        self._owners: dict[object, str] = {}
        self._own: dict[int, str] = {}
        self._last = store.last_edit()
        self._runs: dict[str, str] | None = None
        self._job: str = ""
        self._polled = 0.0
        self._closed = False

    def edited(self, edit: Edit | None, page: str = "") -> None:
        """Tell of an edit that this server stored."""
        if edit is None:
            return
        with self._lock:
            self._own[edit.id] = page
            while len(self._own) > QUEUE:
                del self._own[next(iter(self._own))]
        self.poll(force=True)

    def moved(self, page: str, **place: Any) -> None:
        """Note where a page is now."""
        with self._lock:
            for key, person in self._people.items():
                if person.page == page:
                    self._people[key] = replace(person, **place)
        self._presence()

    def poll(self, force: bool = False) -> None:
        """Look for edits, runs and progress that are not told yet, at most every `POLL_SECONDS` unless `force`."""
        with self._lock:
            now = time.monotonic()
            if not force and now - self._polled < POLL_SECONDS:
                return
            self._polled = now
            with contextlib.suppress(EmcError):
                self._look()

    def admits(self, who: str) -> bool:
        """Return whether somebody may open one more stream."""
        with self._lock:
            own = sum(one == who for one in self._owners.values())
            return own < MOST_STREAMS and len(self._owners) < ALL_STREAMS

    async def listen(
        self,
        page: str,
        name: str,
        after: int | None = None,
        who: str = "",
        allowed: Callable[[], Awaitable[bool]] | None = None,
    ) -> AsyncIterator[str]:
        """Yield news for one page as lines of an event stream, until it goes.

        after : the last edit that it knows. who : whose stream it is, see `admits`; it ends at once where they have too
        many. allowed : asked now and then; the stream ends where it says no.
        """
        if not self.admits(who):
            return
        key, queue = object(), asyncio.Queue[News | None](QUEUE)
        with self._lock:
            self._listeners[key] = (asyncio.get_running_loop(), queue)
            self._people[key] = Person(page, name)
            self._owners[key] = who
        try:
            hello = {"page": page, "people": self._everyone(), "last": self._last}
            yield "retry: 1000\n\n" + News("hello", hello).line()
            self._presence()
            if after is not None:
                for edit in await asyncio.to_thread(self._store.edits, None, after):
                    yield self._news_of(edit).line(page)
            async for line in self._lines(queue, page, allowed):
                yield line
        finally:
            with self._lock:
                del self._listeners[key]
                del self._people[key]
                del self._owners[key]
            self._presence()

    def close(self) -> None:
        """End every stream; safe to call twice."""
        self._closed = True
        self._tell(None)

    async def _lines(
        self, queue: asyncio.Queue[News | None], page: str, allowed: Callable[[], Awaitable[bool]] | None
    ) -> AsyncIterator[str]:
        quiet = 0.0
        while not self._closed and (allowed is None or await allowed()):
            try:
                news = await asyncio.wait_for(queue.get(), POLL_SECONDS)
            except TimeoutError:
                quiet += POLL_SECONDS
                await asyncio.to_thread(self.poll)
                if quiet >= BEAT_SECONDS:
                    quiet = 0.0
                    yield ": here\n\n"
                continue
            if news is None:
                return
            quiet = 0.0
            yield news.line(page)

    def _look(self) -> None:
        for edit in self._store.edits(None, after=self._last):
            self._last = edit.id
            self._tell(self._news_of(edit))
        runs = {run.clip: run.id for run in self._store.runs() if run.complete} if self._listeners else None
        if runs is not None:
            for clip, run in runs.items():
                if self._runs is not None and self._runs.get(clip) != run:
                    self._tell(News("run", {"clip": clip, "run": run}))
            self._runs = runs
        if self._watch is not None and self._listeners:
            job = self._watch()
            text = json.dumps(job, sort_keys=True, default=str)
            if text != self._job:
                self._job = text
                self._tell(News("job", job))

    def _news_of(self, edit: Edit) -> News:
        frames = [change.frame for change in edit.changes]
        joints = [[c.frame, c.person, c.joint] for c in edit.changes[:MOST_JOINTS]]
        data = {
            "clip": edit.clip,
            "id": edit.id,
            "kind": edit.kind,
            "author": edit.author,
            "page": self._own.get(edit.id, ""),
            "undoes": edit.undoes,
            "touched": [min(frames), max(frames)] if frames else None,
            "joints": joints,
        }
        return News("edit", data, edit.id)

    def _presence(self) -> None:
        with self._lock:
            people = self._everyone()
        self._tell(News("presence", {"people": people}))

    def _everyone(self) -> list[dict[str, Any]]:
        return [asdict(person) for person in self._people.values()]

    def _tell(self, news: News | None) -> None:
        for loop, queue in list(self._listeners.values()):
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(_put, queue, news)


def _put(queue: asyncio.Queue[News | None], news: News | None) -> None:
    """Hand over news; a page that is too far behind loses its stream, reconnects and asks from its last edit."""
    if queue.full():
        while not queue.empty():
            queue.get_nowait()
        news = None
    queue.put_nowait(news)
