"""Records turned into the server's answers, one subject per file."""
