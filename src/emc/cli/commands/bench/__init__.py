"""`emc bench`: the benchmarks that ship with the package, and their tables."""

from emc.cli.commands.bench.command import app

__all__ = ["app"]
