"""The editor's server: one project, for a browser on this machine (or, with a password, on others)."""

from emc.server.app import create_app
from emc.server.serving import serve

__all__ = ["create_app", "serve"]
