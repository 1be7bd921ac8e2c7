"""The report of a project and its tables."""

from emc.workflow.report.report import Lifted3D, report_files, report_project, write_project_report
from emc.workflow.report.tables import file_tables, project_tables

__all__ = ["Lifted3D", "file_tables", "project_tables", "report_files", "report_project", "write_project_report"]
