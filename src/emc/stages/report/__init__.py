"""Stage: the report: a checked document and one HTML page that needs no network."""

from emc.stages.report.document import build_report, check_report, report_schema
from emc.stages.report.examples import drawing_of, example_of, pick_examples
from emc.stages.report.html import render_html
from emc.stages.report.motion import VideoPreview, sequence_medium, video_preview
from emc.stages.report.people import effort_line, people_line
from emc.stages.report.wording import verdict

__all__ = [
    "VideoPreview",
    "build_report",
    "check_report",
    "drawing_of",
    "effort_line",
    "example_of",
    "video_preview",
    "people_line",
    "pick_examples",
    "render_html",
    "report_schema",
    "sequence_medium",
    "verdict",
]
