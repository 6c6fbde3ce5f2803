"""What the emulator itself takes from the shell it was started in."""

from __future__ import annotations

import os

from emulator.cli import forget_aws


def test_the_developers_aws_is_left_out() -> None:
    """Profile, keys, region, endpoints and files go; whom the developer trusts stays, and everything else."""
    environment = {
        "AWS_PROFILE": "work", "AWS_ACCESS_KEY_ID": "k", "AWS_REGION": "r", "AWS_ENDPOINT_URL": "e",
        "AWS_CONFIG_FILE": "f", "AWS_CA_BUNDLE": "b", "PATH": "p",
    }  # fmt: skip
    forget_aws(environment)
    assert environment == {
        "AWS_CA_BUNDLE": "b", "PATH": "p",
        "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }  # fmt: skip
