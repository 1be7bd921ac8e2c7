"""Person boxes to person numbers, and how good such numbers are."""

from emc.stages.track.follow import TrackSettings, keep_largest, track
from emc.stages.track.scores import TrackScores, track_scores

__all__ = ["TrackScores", "TrackSettings", "keep_largest", "track", "track_scores"]
