"""The project store on SQL: a folder ``NAME.emc`` with a SQLite file, or a server's database by URL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import emc.store.rows.clips as clip_rows
import emc.store.rows.documents as document_rows
import emc.store.rows.edits as edit_rows
import emc.store.rows.runs as run_rows
from emc.errors import ProjectError, StorageError
from emc.interfaces import RunRecord
from emc.pose.journal import JointKey, fold_edits
from emc.pose.people import People, of_people
from emc.pose.records import Clip, Edit, Pose, Prediction
from emc.store.alerts.sql import SqlAlerts
from emc.store.database import Database, sqlite_url
from emc.store.media import located, placed
from emc.store.migrate import bring_up_to_date, check_database, create_schema, schema_version

DATABASE = "project.sqlite"


class SqlStore(SqlAlerts):
    """A project in a database; see `emc.interfaces.Store` for what each method promises.

    Make one with `create`, `open` or `at`. Safe to use from several threads, and by several processes on one machine.
    Predictions and alerts, which can be computed again, survive ``kill -9``; the journal survives a power cut too.
    Usable in a ``with`` block, which closes it.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        super().__init__(database)
        self._folder = folder.absolute()

    @classmethod
    def create(cls, folder: Path) -> Self:
        """Make a new project in a folder that does not exist yet, or is empty.

        Raises `ProjectError` where there is something already, `StorageError` where the folder cannot be written. A
        process that dies in the middle leaves no half-made project.
        """
        folder = folder.absolute()
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ProjectError(f"{folder} exists already: open it, or choose another folder")
        # Beside the folder and not in /tmp: a rename is atomic only within one file system, and a half-made project
        # must never carry the project's name.
        partial = folder.with_name(f".{folder.name}.{uuid4().hex[:8]}.partial")
        try:
            partial.mkdir(parents=True)
            database = Database(sqlite_url(partial / DATABASE), str(folder))
            create_schema(database)
            database.close()
            if folder.exists():
                folder.rmdir()
            # After the database is closed: SQLite's -wal and -shm would be renamed under an open connection.
            partial.rename(folder)
        except OSError as error:
            raise StorageError(
                f"cannot create the project {folder} ({error.strerror}): choose another place"
            ) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open a project; one of an older version is migrated, after a copy of its database beside it (``*.backup``).

        Raises `ProjectError` that names the folder where it is missing, no project, of a newer version, or damaged.
        """
        file = folder / DATABASE
        if not folder.exists():
            raise ProjectError(f"there is no project {folder}: create it with `emc new {folder}`")
        if not file.is_file() or not file.stat().st_size:
            raise ProjectError(f"{folder} is not a project (it has no {DATABASE}): choose a folder made by `emc new`")
        return cls._opened(Database(sqlite_url(file), str(folder)), folder, file)

    @classmethod
    def at(cls, url: str, folder: Path) -> Self:
        """Open the project in a server's database (``postgresql+psycopg://...``), making its tables where it is empty.

        `folder` is where the project keeps files. The keeper of the server makes the backups.
        """
        database = Database(url, folder.name)
        with database.reading() as connection:
            empty = schema_version(connection) is None
        if empty:
            create_schema(database)
        return cls._opened(database, folder, None)

    @classmethod
    def _opened(cls, database: Database, folder: Path, file: Path | None) -> Self:
        try:
            bring_up_to_date(database, file)
        except BaseException:
            database.close()
            raise
        return cls(database, folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def folder(self) -> Path:
        """The project's folder, absolute."""
        return self._folder

    def close(self) -> None:
        """Release the database; safe to call twice. The store cannot be used after it."""
        self._database.close()

    def check(self) -> list[str]:
        """Read the whole database and return what is wrong with it, nothing where it is sound (slow when large)."""
        try:
            with self._database.reading() as connection:
                return check_database(connection)
        except ProjectError as error:
            return [str(error)]

    # Clips

    def add_clip(self, clip: Clip) -> None:
        """Store a clip; one that was removed comes back with its edits where it is the same media."""
        with self._database.writing() as connection:
            clip_rows.insert_clip(connection, placed(clip, self._folder))

    def remove_clip(self, clip: str) -> None:
        """Mark a clip as removed."""
        with self._database.writing() as connection:
            clip_rows.mark_removed(connection, clip)

    def update_clip(self, clip: Clip) -> None:
        """Write a clip, with its times, over the one of the same id; the caller has compared the media."""
        with self._database.writing() as connection:
            clip_rows.replace_clip(connection, placed(clip, self._folder))

    def clips(self, role: str | None = None) -> list[Clip]:
        """Return the clips in use, by id, without times."""
        with self._database.reading() as connection:
            return [located(clip, self._folder) for clip in clip_rows.select_clips(connection, role)]

    def removed_clips(self) -> list[Clip]:
        """Return the clips that were removed, the last one first, without times."""
        with self._database.reading() as connection:
            return clip_rows.select_clips(connection, None, removed=True)

    def clip(self, clip: str) -> Clip:
        """Return one clip, with times."""
        with self._database.reading() as connection:
            return located(clip_rows.select_clip(connection, clip), self._folder)

    # Runs and predictions

    def start_run(self, clip: str, model: str, skeleton: str, settings: Mapping[str, Any]) -> RunRecord:
        """Begin a prediction run, or return the unfinished one of the same clip, model, skeleton and settings."""
        with self._database.writing() as connection:
            return run_rows.begin_run(connection, clip, model, skeleton, settings)

    def finish_run(self, run: str) -> None:
        """Mark a run complete; it becomes the clip's current run."""
        with self._database.writing() as connection:
            run_rows.complete_run(connection, run_rows.run_key(connection, run))

    def runs(self, clip: str | None = None) -> list[RunRecord]:
        """Return runs, newest last."""
        with self._database.reading() as connection:
            return run_rows.select_runs(connection, clip)

    def current_runs(self) -> dict[str, RunRecord]:
        """Return clip -> its newest complete run, for clips that have one."""
        with self._database.reading() as connection:
            return run_rows.select_current_runs(connection)

    def current_run(self, clip: str, model: str | None = None) -> RunRecord | None:
        """Return the run of a clip that was completed last, of one model or of any; None where there is none."""
        with self._database.reading() as connection:
            key = run_rows.current_run_key(connection, clip_rows.clip_key(connection, clip), model)
            return None if key is None else run_rows.select_run(connection, key)

    def write_predictions(self, run: str, predictions: Sequence[Prediction], upto: int | None = None) -> None:
        """Store predictions in one transaction; one of the same frame and person is replaced."""
        with self._database.writing_bulk() as connection:
            run_rows.insert_predictions(connection, run_rows.run_key(connection, run), predictions, upto)

    def renumber_persons(self, run: str, numbers: Mapping[int, int]) -> None:
        """Give persons of a run other numbers, in one transaction."""
        with self._database.writing_bulk() as connection:
            run_rows.renumber_persons(connection, run_rows.run_key(connection, run), numbers)

    def resume_frame(self, run: str) -> int:
        """Return the first frame of a run that is not yet done."""
        with self._database.reading() as connection:
            return run_rows.next_frame(connection, run_rows.run_key(connection, run))

    def predictions(self, run: str, first: int = 0, last: int | None = None) -> Iterator[Prediction]:
        """Yield the predictions of frames first..last, of the people as the journal leaves them, by frame then person.

        No read stays open between two pages.
        """
        with self._database.reading() as connection:
            key = run_rows.run_key(connection, run)
            people = edit_rows.people_in(connection, run_rows.clip_of_run(connection, key))
        return of_people(self._pages(key, first, last), people)

    def raw_predictions(self, run: str, first: int = 0, last: int | None = None) -> Iterator[Prediction]:
        """Yield the predictions as they were written, of people who were deleted or merged too."""
        with self._database.reading() as connection:
            key = run_rows.run_key(connection, run)
        return self._pages(key, first, last)

    def _pages(self, key: int, first: int, last: int | None) -> Iterator[Prediction]:
        after: tuple[int, int] | None = None
        while True:
            with self._database.reading() as connection:
                page = run_rows.select_page(connection, key, first, last, after)
            yield from page
            # By key and not by OFFSET: rows that a running prediction adds between two pages are then neither skipped
            # nor read twice.
            if len(page) < run_rows.PAGE:
                return
            after = (page[-1].frame, page[-1].person)

    # The journal

    def append_edit(
        self, edit: Edit, expect: Mapping[JointKey, int] | None = None, token: str = "", content: str = ""
    ) -> Edit:
        """Append to the journal and return the edit with its id; durable when this returns.

        expect : (frame, person, joint) -> id of the edit that the sender last saw decide the joint, 0 where it was as
        predicted (see `joint_versions`). token : the sender's own name for the edit; one that is sent again (its
        answer was lost) is stored once. content : digest of what the sender asked for (default: of the edit itself).
        Raises `ConflictError` where a joint of `expect` changed since, where the edit to take back is taken back
        already or another author's, and where the token was used for other content; `UsageError` for an edit that
        cannot be.
        """
        with self._database.writing() as connection:
            return edit_rows.insert_edit(connection, edit, expect or {}, token, content)

    def edits(self, clip: str | None = None, after: int = 0) -> list[Edit]:
        """Return the journal past edit `after`, oldest first, edits that were taken back included."""
        with self._database.reading() as connection:
            return edit_rows.select_edits(connection, clip, after)

    def edit(self, edit: int) -> Edit | None:
        """Return one edit by its id, None where there is none."""
        with self._database.reading() as connection:
            return edit_rows.select_edit(connection, edit)

    def edit_sent_as(self, token: str, content: str) -> Edit | None:
        """Return the edit that was appended under a sender's token, None where there is none.

        Raises `ConflictError` where what was asked then was something else.
        """
        with self._database.reading() as connection:
            return edit_rows.edit_of_token(connection, token, content)

    def last_edit(self) -> int:
        """Return the id of the newest edit of the project, 0 where there is none."""
        with self._database.reading() as connection:
            return edit_rows.last_id(connection)

    def last_person(self, clip: str) -> int:
        """Return the largest number of a person in a clip's predictions and edits, -1 where there is none (slow)."""
        with self._database.reading() as connection:
            key = clip_rows.clip_key(connection, clip)
            return max(run_rows.last_person(connection, key), edit_rows.last_person(connection, key))

    def standing_edits(self, clip: str, first: int = 0, last: int | None = None, without: int = 0) -> list[Edit]:
        """Return the edits that count for frames first..last, oldest first: ids, and their changes of those frames.

        The changes are of the people as they are now. without : an edit that is taken for one that was never made.
        """
        with self._database.reading() as connection:
            key = clip_rows.clip_key(connection, clip)
            run = run_rows.current_run_key(connection, key)
            return edit_rows.standing_edits(connection, key, first, last, run, without)

    def people(self, clip: str) -> People:
        """Return who of a clip's people was deleted or merged, and who the athletes are."""
        with self._database.reading() as connection:
            return edit_rows.people_in(connection, clip_rows.clip_key(connection, clip))

    def joint_versions(self, clip: str, first: int = 0, last: int | None = None) -> dict[JointKey, int]:
        """Return (frame, person, joint) -> id of the edit that decides it, for joints that edits decide."""
        with self._database.reading() as connection:
            key = clip_rows.clip_key(connection, clip)
            return edit_rows.standing_versions(connection, key, first, last, run_rows.current_run_key(connection, key))

    def poses(
        self, clip: str, run: str | None = None, first: int = 0, last: int | None = None, joints: int = 0
    ) -> list[Pose]:
        """Return current poses of frames first..last, by frame then person, all with the same number of joints.

        joints : how many they have at least. Without predictions a pose has only the joints that edits name.
        """
        with self._database.reading() as connection:
            clip_key, named = clip_rows.clip_key_and_joints(connection, clip)
            joints = max(joints, named)
            if run is None:
                key = run_rows.current_run_key(connection, clip_key)
            else:
                key = run_rows.run_key_of_clip(connection, run, clip)
            edits = edit_rows.standing_edits(connection, clip_key, first, last, key)
            if key is None:
                return fold_edits((), edits, joints=joints)
            people = edit_rows.people_in(connection, clip_key)
            predictions = list(of_people(run_rows.select_all(connection, key, first, last), people))
            if not predictions:
                joints = max(joints, run_rows.joints_of_run(connection, key))
        return fold_edits(predictions, edits, joints=joints, run=run_rows.run_id(key))

    # Documents

    def put_document(self, kind: str, name: str, document: Mapping[str, Any]) -> None:
        """Store a JSON document, replacing one of the same name; numpy numbers and arrays become plain."""
        text = document_rows.as_json(document, f"document {kind}/{name}")
        with self._database.writing() as connection:
            document_rows.replace_document(connection, kind, name, text)

    def document(self, kind: str, name: str) -> dict[str, Any] | None:
        """Return a document, None where there is none."""
        with self._database.reading() as connection:
            return document_rows.select_document(connection, kind, name)

    def documents(self, kind: str) -> list[str]:
        """Return the names of documents of a kind, oldest first."""
        with self._database.reading() as connection:
            return document_rows.select_names(connection, kind)
