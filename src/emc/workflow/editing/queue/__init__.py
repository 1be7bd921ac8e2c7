"""The editor's queue of joints to correct, paged and sorted."""

from emc.workflow.editing.queue.queue import ProjectQueue, queue_order
from emc.workflow.editing.queue.rows import Place, QueueFilter, QueueRow

__all__ = ["Place", "ProjectQueue", "QueueFilter", "QueueRow", "queue_order"]
