"""Alerts in the database: columns, rows and whole lists."""
