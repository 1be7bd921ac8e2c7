"""Stage: score predictions against labels, with intervals: two dimensions, OKS-AP, three dimensions, confidence."""

from emc.stages.evaluate.compare import (
    Comparison,
    ap_non_inferiority_chance,
    before_after,
    compare_populations,
    non_inferiority_chance,
)
from emc.stages.evaluate.confidence_score import compare_confidence, confidence_figures, score_confidence
from emc.stages.evaluate.found import assigned, evaluate_found
from emc.stages.evaluate.oks_ap import Detection, match_detections, match_people
from emc.stages.evaluate.population import PopulationScores, evaluate_population, joint_hits, score_population
from emc.stages.evaluate.three_d import compare_3d, score_3d

__all__ = [
    "Comparison",
    "Detection",
    "PopulationScores",
    "assigned",
    "before_after",
    "compare_3d",
    "ap_non_inferiority_chance",
    "non_inferiority_chance",
    "compare_confidence",
    "compare_populations",
    "confidence_figures",
    "evaluate_found",
    "evaluate_population",
    "joint_hits",
    "match_detections",
    "match_people",
    "score_3d",
    "score_confidence",
    "score_population",
]
