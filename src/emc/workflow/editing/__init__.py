"""What the editor does on a project: poses, edits, undo, candidates, operations on runs."""

from emc.workflow.editing.candidates import Candidates
from emc.workflow.editing.conflicts import JointConflict, JointConflicts
from emc.workflow.editing.effort import EffortLog
from emc.workflow.editing.flags import stride_of
from emc.workflow.editing.history import History
from emc.workflow.editing.lifted import AngleCurves, LiftedPose, Lifting
from emc.workflow.editing.newcomer import Newcomer, Newcomers
from emc.workflow.editing.operations import Operation, Order, middle_undecided, operation_edit
from emc.workflow.editing.propagation import Span
from emc.workflow.editing.queue import Place, ProjectQueue, QueueFilter, QueueRow, queue_order
from emc.workflow.editing.session import Action, Editing
from emc.workflow.editing.sheet import JointTrack, Side, compared, joint_track
from emc.workflow.editing.views import AlertRow, FrameRow, FrameView, PersonView

__all__ = [
    "Action",
    "AlertRow",
    "AngleCurves",
    "Candidates",
    "Editing",
    "EffortLog",
    "FrameRow",
    "FrameView",
    "History",
    "JointConflict",
    "JointConflicts",
    "JointTrack",
    "LiftedPose",
    "Lifting",
    "Newcomer",
    "Newcomers",
    "Operation",
    "Order",
    "PersonView",
    "Place",
    "ProjectQueue",
    "QueueFilter",
    "QueueRow",
    "Side",
    "Span",
    "compared",
    "joint_track",
    "middle_undecided",
    "operation_edit",
    "queue_order",
    "stride_of",
]
