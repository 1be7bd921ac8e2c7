"""Stage: the report: a checked document and one HTML page that needs no network."""

from emc.stages.report.document import build_report, check_report, report_schema
from emc.stages.report.examples import drawing_of, example_of, pick_examples
from emc.stages.report.html import render_html
from emc.stages.report.motion import Film, film_of, sequence_medium
from emc.stages.report.wording import verdict

__all__ = [
    "Film",
    "build_report",
    "check_report",
    "drawing_of",
    "example_of",
    "film_of",
    "pick_examples",
    "render_html",
    "report_schema",
    "sequence_medium",
    "verdict",
]
