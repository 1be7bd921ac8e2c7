"""The server of a correction study: its application and its participants' sessions."""

from emc.server.studies.app import serve_study
from emc.server.studies.desks import DeskJoints, Desks

__all__ = ["DeskJoints", "Desks", "serve_study"]
