"""What lets a project's journal prove that it is whole, and brings back what it can where it is not."""
