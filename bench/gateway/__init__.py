"""What `make bench-gateway` runs: the emulator beside its peers, with one handler and one client for all."""
