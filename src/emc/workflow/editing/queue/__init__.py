"""The editor's queue of joints to correct, paged and sorted."""

from emc.workflow.editing.queue.queue import ProjectQueue, queue_order
from emc.workflow.editing.queue.rows import QueueFilter, QueuePlace, QueueRow

__all__ = ["QueuePlace", "ProjectQueue", "QueueFilter", "QueueRow", "queue_order"]
