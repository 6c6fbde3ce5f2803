"""What a dead invocation left unfinished: runs without their engine, ends not posted, threads half deleted."""
