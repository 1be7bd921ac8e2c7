"""Which joints are probably wrong, from the predictions alone; what a joint's path says; who cannot be read at all."""

from emc.stages.alerts.find import find_alerts

__all__ = ["find_alerts"]
