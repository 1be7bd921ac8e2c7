"""3D motion files, one format per file: readers of captured motion and writers of lifted motion."""
