"""The run protocol under any schedule: the real core on simulated ports, in virtual time. One seed is one schedule."""
