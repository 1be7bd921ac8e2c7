"""The version of the package, read by the command line, the server, reports and saved documents."""

__version__ = "0.1.0"
