"""Published weights as this package uses them: looked for on this machine, else fetched, checked and converted once."""

from emc.weights.published.finding import (
    OFFLINE,
    cache_folder,
    describe_location,
    fetched,
    local,
    offline,
    read_published,
)
from emc.weights.published.graph_model import read_graph_model, tensors_sha256
from emc.weights.published.table import PUBLISHED, Published, published_named

__all__ = [
    "OFFLINE",
    "PUBLISHED",
    "Published",
    "cache_folder",
    "fetched",
    "local",
    "offline",
    "published_named",
    "read_graph_model",
    "read_published",
    "tensors_sha256",
    "describe_location",
]
