"""The edit journal of a project on SQL: appended to, read, and checked to be whole."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

import emc.store.rows.clips as clip_rows
import emc.store.rows.edits as edit_rows
import emc.store.rows.runs as run_rows
import emc.store.trust.in_use as in_use
from emc.errors import ProjectError, ProjectWarning, StorageError
from emc.pose.journal import JointKey
from emc.pose.people import People
from emc.pose.records import Edit
from emc.store.database import Database
from emc.store.trust.check import JournalState, check_in_full, check_quickly
from emc.store.trust.head import HeadFile
from emc.store.trust.links import last_link, note_losses
from emc.store.trust.snapshots import SnapshotTaker


class SqlJournal:
    """The part of `SqlStore` that keeps the journal; see `emc.interfaces.Store` for what each method promises.

    file : the SQLite file; None where the database is a server's. copied : the file was in use when it was copied, and
    its log is not beside it. A journal that is not whole is told as a `ProjectWarning`; it is read as far as it goes,
    and takes no edit until ``emc recover`` has taken note of what is lost.
    """

    def __init__(self, database: Database, folder: Path, file: Path | None, copied: bool = False) -> None:
        self._database = database
        self._folder = folder
        self._head = HeadFile(folder)
        self._snapshots = SnapshotTaker(file)
        self._marked = file is not None and in_use.is_marked(file)
        self._faults = self._checked_at_opening(copied)
        if self._faults:
            warnings.warn(self._fault_line(), ProjectWarning, stacklevel=2)

    @property
    def faults(self) -> tuple[str, ...]:
        """What the check at opening found wrong with the journal, one line each."""
        return self._faults

    def verify_journal(self) -> JournalState:
        """Read the whole journal and compare every edit with its digest and the chain of hashes (slow when large)."""
        head = self._head.read()
        with self._database.reading() as connection:
            return check_in_full(connection, head)

    def accept_losses(self) -> JournalState:
        """Take note of the edits that are missing, so that the journal goes on behind them; for a server's database.

        Its keeper has restored what there is. Returns what was found; ``emc recover`` does the same for a file.
        """
        state = self.verify_journal()
        with self._database.writing() as connection:
            note_losses(connection, state.lost)
            last = last_link(connection)
        if last is not None:
            self._head.write(last)
        self._faults = ()
        return state

    def close(self) -> None:
        """Release the database; safe to call twice. The store cannot be used after it."""
        self._snapshots.close()
        if self._marked:
            in_use.clear(self._database)
            self._marked = False
        self._database.close()
        self._head.close()

    def _checked_at_opening(self, copied: bool) -> tuple[str, ...]:
        # Before the database is looked at: an edit that is acknowledged in between is then ahead of the file.
        head = self._head.read()
        try:
            with self._database.reading() as connection:
                state, last = check_quickly(connection, head), last_link(connection)
        except ProjectError as error:
            return (str(error),)
        if state.faults:
            return state.faults
        if copied and (head is None or last is None or last.number < head.number):
            newest = f"edit {last.number} of {last.created[:10]}" if last else "the first one"
            return (
                f"project.sqlite was copied while it was in use, without its project.sqlite-wal: edits after {newest} "
                "may be missing",
            )
        if last is not None and (head is None or head.number < last.number):
            self._head.write(last)
        return ()

    def _fault_line(self) -> str:
        return (
            f"the journal of {self._folder} is not whole: {'; '.join(self._faults)}: see `emc verify`; `emc recover` "
            "brings back what there is, until then no edit is taken"
        )

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
        if self._faults:
            raise StorageError(self._fault_line())
        with self._database.writing() as connection:
            stored, link = edit_rows.insert_edit(connection, edit, expect or {}, token, content)
            fresh = in_use.mark(connection)
        if fresh:
            self._marked = True
            in_use.bring_into_file(self._database)
        if link is not None:
            self._head.write(link)
            self._snapshots.edited(link.number)
        return stored

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
