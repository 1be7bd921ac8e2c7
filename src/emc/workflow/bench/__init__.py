"""The benchmarks behind `emc bench`, one per file."""
