"""Every edit gets a running number and a hash over all before it; journals written until now are chained here."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

from emc.store.trust.links import START, chained, digest_of_rows

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

JOURNAL = ("edit", "edit_change", "edit_person", "edit_chain", "journal_loss")
AT_ONCE = 1000


def upgrade() -> None:
    """Add the tables ``edit_chain`` and ``journal_loss``, which refuse changes, and chain the edits there are."""
    chain = op.create_table(
        "edit_chain",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("edit", sa.Integer, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("chain", sa.LargeBinary, nullable=False),
    )
    op.create_index("ux_edit_chain_edit", "edit_chain", ["edit"], unique=True)
    op.create_table(
        "journal_loss",
        sa.Column("key", sa.Integer, primary_key=True),
        sa.Column("first", sa.Integer, nullable=False),
        sa.Column("last", sa.Integer, nullable=False),
        sa.Column("since", sa.Text, nullable=False),
        sa.Column("until", sa.Text, nullable=False),
        sa.Column("noted", sa.Text, nullable=False),
    )
    _chain_all(op.get_bind(), chain)
    if op.get_bind().dialect.name == "postgresql":
        _refuse_on_a_server()
        return
    for table in ("edit_chain", "journal_loss"):
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'the edit journal is append-only'); END"
            )


def _refuse_on_a_server() -> None:
    for table in ("edit_chain", "journal_loss"):
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_journal_change()"
        )
    # A trigger for each row does not see TRUNCATE, which empties a table at once.
    for table in JOURNAL:
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_journal_change()"
        )


def _chain_all(bind: sa.Connection, chain: sa.Table) -> None:
    number, before = 0, START
    ids = [row.id for row in bind.execute(sa.text("SELECT id FROM edit ORDER BY id"))]
    for start in range(0, len(ids), AT_ONCE):
        part = ids[start : start + AT_ONCE]
        rows = []
        for edit, changes, persons in _edits(bind, part[0], part[-1]):
            number, digest = number + 1, digest_of_rows(edit, changes, persons)
            before = chained(before, number, edit[6], digest)
            link = {"number": number, "edit": edit[0], "created": edit[6], "digest": digest, "chain": before}
            rows.append(link)
        bind.execute(sa.insert(chain), rows)


def _edits(bind: sa.Connection, first: int, last: int) -> list[tuple[Any, list[Any], list[Any]]]:
    """Return (edit, changes, persons) of the edits with ids first..last, as `digest_of_rows` takes them."""

    def by_edit(query: str) -> dict[int, list[Any]]:
        found = bind.execute(sa.text(query), {"first": first, "last": last}).all()
        return {key: [row[1:] for row in group] for key, group in groupby(found, key=lambda row: row[0])}

    between = "BETWEEN :first AND :last"
    changes = by_edit(
        "SELECT edit, frame, place, person, joint, x, y, visibility, provenance FROM edit_change "
        f"WHERE edit {between} ORDER BY edit, place"
    )
    persons = by_edit(
        f'SELECT edit, place, person, action, "into" FROM edit_person WHERE edit {between} ORDER BY edit, place'
    )
    edits = bind.execute(
        sa.text(
            "SELECT id, clip, kind, author, seconds, undoes, created, token, content FROM edit "
            f"WHERE id {between} ORDER BY id"
        ),
        {"first": first, "last": last},
    ).all()
    return [(tuple(edit), changes.get(edit[0], []), persons.get(edit[0], [])) for edit in edits]
