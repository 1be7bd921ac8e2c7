"""What the editor does on a project: poses, edits, undo, candidates, operations on runs."""

from emc.workflow.editing.actions import Applied, EditAction, newcomer_asked, order_asked, people_asked
from emc.workflow.editing.candidates import Candidates
from emc.workflow.editing.conflicts import JointConflict, JointConflicts
from emc.workflow.editing.effort import EffortLog
from emc.workflow.editing.flags import looked_every, stride_of
from emc.workflow.editing.history import Steps
from emc.workflow.editing.lifted import AngleCurves, LiftedPose, Lifting
from emc.workflow.editing.newcomer import Newcomer, Newcomers
from emc.workflow.editing.operations import Operation, OperationRequest, middle_undecided, operation_edit
from emc.workflow.editing.propagation import PropagatedSpan
from emc.workflow.editing.queue import ProjectQueue, QueueFilter, QueuePlace, QueueRow, queue_order
from emc.workflow.editing.session import Editing
from emc.workflow.editing.sheet import JointTrack, RunPredictions, compare_runs, joint_track
from emc.workflow.editing.views import AlertRow, FrameRow, FrameView, PersonView

__all__ = [
    "EditAction",
    "AlertRow",
    "AngleCurves",
    "Applied",
    "Candidates",
    "Editing",
    "EffortLog",
    "FrameRow",
    "FrameView",
    "JointConflict",
    "JointConflicts",
    "JointTrack",
    "LiftedPose",
    "Lifting",
    "Newcomer",
    "Newcomers",
    "Operation",
    "OperationRequest",
    "PersonView",
    "QueuePlace",
    "ProjectQueue",
    "QueueFilter",
    "QueueRow",
    "RunPredictions",
    "PropagatedSpan",
    "Steps",
    "compare_runs",
    "joint_track",
    "middle_undecided",
    "looked_every",
    "newcomer_asked",
    "operation_edit",
    "order_asked",
    "people_asked",
    "queue_order",
    "stride_of",
]
