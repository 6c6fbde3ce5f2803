"""Which files are collected here: the tests of DynamoDB Local where its jar is given."""

from __future__ import annotations

from tests.emulator.state.support import LOCAL_JAR

collect_ignore = [] if LOCAL_JAR else ["test_dynamodb_local.py"]
