"""The AWS pages that the facts about Lambda and DynamoDB cite."""

from __future__ import annotations

from typing import Final

_GUIDE: Final = "https://docs.aws.amazon.com/lambda/latest/dg/"
_TABLES: Final = "https://docs.aws.amazon.com/amazondynamodb/latest/"

LIFECYCLE: Final = _GUIDE + "lambda-runtime-environment.html"
CONCURRENCY: Final = _GUIDE + "lambda-concurrency.html"
RESERVED: Final = _GUIDE + "configuration-concurrency.html"
MEMORY: Final = _GUIDE + "configuration-memory.html"
TIMEOUT: Final = _GUIDE + "configuration-timeout.html"
TROUBLE: Final = _GUIDE + "troubleshooting-invocation.html"
QUOTAS: Final = _GUIDE + "gettingstarted-limits.html"
VARIABLES: Final = _GUIDE + "configuration-envvars.html"
HANDLER: Final = _GUIDE + "python-handler.html"
CONTEXT: Final = _GUIDE + "python-context.html"
EXCEPTIONS: Final = _GUIDE + "python-exceptions.html"
LOGGING: Final = _GUIDE + "python-logging.html"
LOG_FORMAT: Final = _GUIDE + "monitoring-cloudwatchlogs-logformat.html"
TELEMETRY: Final = _GUIDE + "telemetry-schema-reference.html"
TENANTS: Final = _GUIDE + "tenant-isolation.html"
TENANT_INVOKE: Final = _GUIDE + "tenant-isolation-invoke.html"
ASYNC: Final = _GUIDE + "invocation-async.html"
RETRIES: Final = _GUIDE + "invocation-async-error-handling.html"
RETRY_SETTINGS: Final = _GUIDE + "invocation-async-configuring.html"
RECORDS: Final = _GUIDE + "invocation-async-retain-records.html"
INVOKE: Final = "https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"
COMMON_ERRORS: Final = "https://docs.aws.amazon.com/lambda/latest/api/CommonErrors.html"

RUNTIME_CLIENT: Final = "https://github.com/aws/aws-lambda-python-runtime-interface-client"

TRANSACT: Final = _TABLES + "APIReference/API_TransactWriteItems.html"
TRANSACTIONS: Final = _TABLES + "developerguide/transaction-apis.html"
UPDATE: Final = _TABLES + "APIReference/API_UpdateItem.html"
CONDITIONS: Final = _TABLES + "developerguide/Expressions.ConditionExpressions.html"
TABLE_ERRORS: Final = _TABLES + "developerguide/Programming.Errors.html"
