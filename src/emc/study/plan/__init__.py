"""How a study is laid out: crossover, design, consent and statistical power."""

from emc.study.plan.consent import CONSENT
from emc.study.plan.crossover import Cell, Method, Step, next_cell, steps_of
from emc.study.plan.design import StudyDesign, Task, check_rules, read_design, stretches, study_folder, write_design
from emc.study.plan.power import USUAL_SPREAD, crossover_power, people_needed

__all__ = [
    "CONSENT",
    "Cell",
    "Method",
    "Step",
    "StudyDesign",
    "Task",
    "USUAL_SPREAD",
    "check_rules",
    "crossover_power",
    "next_cell",
    "people_needed",
    "read_design",
    "steps_of",
    "stretches",
    "study_folder",
    "write_design",
]
