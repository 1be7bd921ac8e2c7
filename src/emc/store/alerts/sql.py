"""The alerts of a project on SQL: what is to be corrected, run by run."""

from __future__ import annotations

from collections.abc import Sequence

import emc.store.alerts.lists as alert_lists
import emc.store.alerts.rows as alert_rows
import emc.store.rows.runs as run_rows
from emc.errors import UsageError
from emc.pose.records import Alert, FrameAlerts
from emc.store.alerts.columns import AlertColumns
from emc.store.database import Database


class SqlAlerts:
    """The part of `SqlStore` that keeps alerts; see `emc.interfaces.Store` for what each method promises."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write_alerts(
        self, run: str, alerts: Sequence[Alert], frames: Sequence[FrameAlerts], told: bool = False
    ) -> None:
        """Replace the alerts and (m, n) of a run at once: readers see the old ones or the new ones.

        Long lists are written in parts beside the old ones, so that edits made meanwhile do not wait. told : readers
        who hold the old list see by `alert_state` that it is another one, though it may be as long.
        """
        with self._database.reading() as connection:
            key = run_rows.run_key(connection, run)
            clip = run_rows.select_run(connection, key).clip
            before = sum(alert_rows.count_alerts(connection, alert_lists.list_key(connection, key)))
        if others := {alert.clip for alert in alerts} - {clip}:
            raise UsageError(f"alerts of clip {min(others)} do not belong to run {run} of clip {clip}: pass its own")
        alert_rows.refuse_doubles(frames)
        if told or max(before, len(alerts) + len(frames)) > alert_rows.ROWS_AT_ONCE:
            alert_lists.write_long_list(self._database, key, alerts, frames)
            return
        with self._database.writing_bulk() as connection:
            place = alert_lists.list_key(connection, key)
            alert_rows.replace_alerts(connection, place, list(alert_rows.rows_in_parts(place, alerts, frames)))

    def alerts(self, run: str, limit: int | None = None, offset: int = 0) -> list[Alert]:
        """Return alerts, most severe first."""
        with self._database.reading() as connection:
            key = run_rows.run_key(connection, run)
            clip = run_rows.select_run(connection, key).clip
            return alert_rows.select_alerts(connection, alert_lists.list_key(connection, key), clip, limit, offset)

    def alert_columns(self, run: str) -> AlertColumns:
        """Return all alerts of a run by columns, most severe first: fast for a million."""
        with self._database.reading() as connection:
            key = run_rows.run_key(connection, run)
            clip = run_rows.select_run(connection, key).clip
            return alert_rows.select_columns(connection, alert_lists.list_key(connection, key), clip)

    def alert_state(self, run: str) -> tuple[int, ...]:
        """Return numbers that change when a run's alerts are replaced by others of another length, or by many."""
        with self._database.reading() as connection:
            key = alert_lists.list_key(connection, run_rows.run_key(connection, run))
            return (key, *alert_rows.count_alerts(connection, key))

    def alert_states(self, runs: Sequence[str]) -> dict[str, tuple[int, ...]]:
        """Return run -> `alert_state`, for many runs at once; unknown runs are left out."""
        with self._database.reading() as connection:
            keys = {key: run for run in runs if (key := run_rows.key_of(run)) is not None}
            found = alert_rows.count_all_alerts(connection, list(keys))
            return {keys[key]: state for key, state in found.items()}

    def all_alert_columns(self, runs: Sequence[str]) -> dict[str, AlertColumns]:
        """Return run -> `alert_columns`, for many runs at once."""
        with self._database.reading() as connection:
            keys = {key: run for run in runs if (key := run_rows.key_of(run)) is not None}
            found = alert_rows.select_all_columns(connection, alert_rows.count_all_alerts(connection, list(keys)))
        columns = {keys[key]: columns for key, columns in found.items()}
        return {run: columns[run] if run in columns else self.alert_columns(run) for run in runs}

    def frame_alerts(
        self, run: str, limit: int | None = None, offset: int = 0, worst_first: bool = True
    ) -> list[FrameAlerts]:
        """Return (m, n) per frame by index: worst first, or by frame."""
        with self._database.reading() as connection:
            key = alert_lists.list_key(connection, run_rows.run_key(connection, run))
            return alert_rows.select_frame_alerts(connection, key, limit, offset, worst_first)

    def frame_alerts_between(self, run: str, first: int, last: int) -> list[FrameAlerts]:
        """Return (m, n) of frames first..last (inclusive), by frame."""
        with self._database.reading() as connection:
            key = alert_lists.list_key(connection, run_rows.run_key(connection, run))
            return alert_rows.select_frame_range(connection, key, first, last)

    def alert_counts(self, run: str) -> tuple[int, int]:
        """Return how many alerts, and how many frames with (m, n), a run has: the lengths of the two lists."""
        with self._database.reading() as connection:
            key = alert_lists.list_key(connection, run_rows.run_key(connection, run))
            return alert_rows.count_alerts(connection, key)
