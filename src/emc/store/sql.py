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
from emc.pose.journal import fold_edits
from emc.pose.people import of_people
from emc.pose.records import Clip, Pose, Prediction
from emc.store.address import ADDRESS_FILE, checked_address, read_address, write_address
from emc.store.alerts.sql import SqlAlerts
from emc.store.database import Database, sqlite_url
from emc.store.journal import SqlJournal
from emc.store.media import located, placed
from emc.store.migrate import bring_up_to_date, check_database, create_schema, schema_version
from emc.store.trust.in_use import copied_without_log
from emc.store.trust.recover import Recovered, rebuild
from emc.store.trust.snapshots import Snapshot, snapshots

DATABASE = "project.sqlite"


class SqlStore(SqlAlerts, SqlJournal):
    """A project in a database; see `emc.interfaces.Store` for what each method promises.

    Make one with `create`, `open` or `at`. Safe to use from several threads, and by several processes on one machine.
    Predictions and alerts, which can be computed again, survive ``kill -9``; the journal survives a power cut too.
    Usable in a ``with`` block, which closes it.
    """

    def __init__(self, database: Database, folder: Path, file: Path | None, copied: bool = False) -> None:
        SqlAlerts.__init__(self, database)
        SqlJournal.__init__(self, database, folder.absolute(), file, copied)

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
        if (url := read_address(folder)) is not None:
            return cls.at(url, folder, empty_too=False)
        if not file.is_file() or not file.stat().st_size:
            raise ProjectError(f"{folder} is not a project (it has no {DATABASE}): choose a folder made by `emc new`")
        return cls._opened(Database(sqlite_url(file), str(folder)), folder, file)

    @classmethod
    def at(cls, url: str, folder: Path, empty_too: bool = True) -> Self:
        """Open the project in a server's database (``postgresql+psycopg://...``), making its tables where it is empty.

        `folder` is where the project keeps files. empty_too : False refuses an empty database (`ProjectError`): the
        project was in it. The keeper of the server makes the backups.
        """
        database = Database(url, folder.name)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with database.reading() as connection:
                empty = schema_version(connection) is None
            if empty and not empty_too:
                raise ProjectError(
                    f"the database of {folder} holds no project: correct the address in {folder / ADDRESS_FILE}, or "
                    "restore the database"
                )
            if empty:
                create_schema(database)
        except BaseException:
            database.close()
            raise
        return cls._opened(database, folder, None)

    @classmethod
    def create_at(cls, url: str, folder: Path, join: bool = False) -> Self:
        """Make a new project whose database is a server's; its folder keeps the files.

        join : the database holds a project already, made from another folder or machine. Raises `ProjectError` where
        the folder or (without `join`) a project is there already, `UsageError` for an address that cannot be used.
        """
        url, folder = checked_address(url), folder.absolute()
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ProjectError(f"{folder} exists already: open it, or choose another folder")
        database = Database(url, folder.name)
        try:
            with database.reading() as connection:
                taken = schema_version(connection) is not None
        finally:
            database.close()
        if taken and not join:
            raise ProjectError(
                f"the database {url} holds a project already: choose an empty one, or open that project from here too "
                "with --join"
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_address(folder, url)
        except OSError as error:
            raise StorageError(
                f"cannot create the project {folder} ({error.strerror}): choose another place"
            ) from error
        return cls.at(url, folder)

    @classmethod
    def recover(cls, folder: Path, snapshot: str | None = None) -> Recovered:
        """Build the database anew from what can be read of it and of its snapshots; see `emc.store.trust.recover`.

        snapshot : put this one back as it is, instead.
        """
        file = folder / DATABASE
        if not file.is_file() and not snapshots(folder):
            raise ProjectError(f"{folder} is not a project (it has no {DATABASE} and no snapshot of it)")

        def create(new: Path) -> None:
            database = Database(sqlite_url(new), str(folder))
            try:
                create_schema(database)
            finally:
                database.close()

        return rebuild(folder, file, create, snapshot)

    @staticmethod
    def snapshots(folder: Path) -> list[Snapshot]:
        """Return the snapshots of a project folder, the newest first."""
        return snapshots(folder)

    @classmethod
    def _opened(cls, database: Database, folder: Path, file: Path | None) -> Self:
        try:
            copied = file is not None and copied_without_log(file)
            bring_up_to_date(database, file)
            return cls(database, folder, file, copied)
        except BaseException:
            database.close()
            raise

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
