"""One participant's session: its log, its answers and its accuracy."""

from emc.study.session.accuracy import measure_accuracy, person_scale
from emc.study.session.log import Record, SessionLog
from emc.study.session.session import Placed, Session
from emc.study.session.tlx import SCALES, raw_tlx

__all__ = ["Placed", "Record", "SCALES", "Session", "SessionLog", "measure_accuracy", "person_scale", "raw_tlx"]
