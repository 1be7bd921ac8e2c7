"""Every error that EMC raises on purpose: what happened, where, and what to do about it."""

from __future__ import annotations


class EmcError(Exception):
    """Base of all errors that a user can act on.

    The message is one line of the form "<what happened, with file and value>: <what to do>". The command line
    prints it without a traceback and exits with `exit_code`.
    """

    exit_code = 1


class UsageError(EmcError):
    """The request itself is wrong: an unknown name, an option out of range, a missing argument."""

    exit_code = 2


class InputError(EmcError):
    """A file that the user brought cannot be used: missing, empty, truncated, of another kind."""


class ShapeMismatch(EmcError, ValueError):
    """Two arrays that must agree in shape do not; the message names both shapes."""


class ProjectError(EmcError):
    """The project folder is missing, of a newer version, or cannot be written."""


class StorageError(ProjectError):
    """Writing failed (disk full, no permission); everything acknowledged before it is still there."""


class ProjectWarning(UserWarning):
    """A project can be used, but something of it is lost; the message is one line, as that of an error."""


class ConflictError(EmcError):
    """A joint was changed by someone else since it was read."""


class LeakError(EmcError):
    """A calibration set would let validation or test data leak into training."""


class NotTrainable(EmcError):
    """Calibration was asked of an estimator that can only predict."""


class PluginError(UsageError):
    """A plug-in is unknown, or its optional dependency is not installed."""


class WeightsError(InputError):
    """A weights file is missing, damaged, or does not belong to the model that reads it."""


class DecodeError(InputError):
    """A video or image cannot be decoded; the message names the file and, where known, the frame."""
