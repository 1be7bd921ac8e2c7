"""ladder -> chosen checkpoint: the written rule, and the tables and pictures that show it."""

from emc.stages.choose.grid import GridColumn, draw_grid, hardest
from emc.stages.choose.rule import Choice, LadderEntry, choose, pooled, refusals
from emc.stages.choose.tables import (
    DEFAULT_PARTS,
    ScoredModel,
    ScoreTable,
    models_of,
    score_table,
    to_csv,
    to_latex,
    to_markdown,
)

__all__ = [
    "Choice",
    "DEFAULT_PARTS",
    "GridColumn",
    "LadderEntry",
    "ScoreTable",
    "ScoredModel",
    "choose",
    "draw_grid",
    "hardest",
    "models_of",
    "pooled",
    "refusals",
    "score_table",
    "to_csv",
    "to_latex",
    "to_markdown",
]
