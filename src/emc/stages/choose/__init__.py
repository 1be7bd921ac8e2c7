"""ladder -> chosen checkpoint: the written rule, and the tables and pictures that show it."""

from emc.stages.choose.grid import GridColumn, draw_grid, hardest_samples
from emc.stages.choose.rule import CheckpointChoice, LadderEntry, choose_checkpoint, pooled_score, refused_checkpoints
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
    "CheckpointChoice",
    "DEFAULT_PARTS",
    "GridColumn",
    "LadderEntry",
    "ScoreTable",
    "ScoredModel",
    "choose_checkpoint",
    "draw_grid",
    "hardest_samples",
    "models_of",
    "pooled_score",
    "refused_checkpoints",
    "score_table",
    "to_csv",
    "to_latex",
    "to_markdown",
]
