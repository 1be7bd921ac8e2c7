"""Weight files: reading and writing saved models, and fetching published weights."""
