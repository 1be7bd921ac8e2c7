"""The server of a correction study: its application and its participants' sessions."""

from emc.server.studies.app import serve_study
from emc.server.studies.participant_editors import EditedJoints, ParticipantEditors

__all__ = ["EditedJoints", "ParticipantEditors", "serve_study"]
