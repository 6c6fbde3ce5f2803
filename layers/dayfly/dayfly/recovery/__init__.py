"""What has lost whoever was at work on it: runs without their engine, ends not posted, threads half deleted."""
