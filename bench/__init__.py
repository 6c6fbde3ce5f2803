"""What `make bench` runs: every figure is measured in that run, most beside a floor measured in the same run."""
