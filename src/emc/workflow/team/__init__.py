"""Several people on one project: who they are, what each works on, what was checked, and how far they agree."""

from emc.workflow.team.inter_annotator import Agreement, agreement
from emc.workflow.team.members import Member, Role, add_member, members_of, revoke_member, token_digest
from emc.workflow.team.reviews import Review, ReviewState, assign, assigned_clips, assignments, review_of, set_review

__all__ = [
    "Agreement",
    "Member",
    "Review",
    "ReviewState",
    "Role",
    "add_member",
    "agreement",
    "assign",
    "assigned_clips",
    "assignments",
    "members_of",
    "review_of",
    "revoke_member",
    "set_review",
    "token_digest",
]
