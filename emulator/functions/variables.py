"""The environment variables of an execution environment."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import uuid4

from emulator.contract import FunctionSpec
from emulator.functions.options import LambdaOptions

# A process needs these of the machine; nothing else of the developer's shell gets in.
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")


def variables(
    spec: FunctionSpec, *, options: LambdaOptions, extra: Mapping[str, str], runtime_api: str
) -> dict[str, str]:
    """What Lambda defines, the template's own variables, `extra` (endpoints), and what the developer passes to this
    function alone, the later ones winning.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
    """
    # Lambda's clock is UTC, whatever the laptop's is.
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ} | {"TZ": ":UTC", "LANG": "en_US.UTF-8"}
    folders = spec.layer_dirs if spec.import_path is None else spec.import_path
    own_path = [spec.environment["PYTHONPATH"]] if "PYTHONPATH" in spec.environment else []
    defined = {
        "_HANDLER": spec.handler,
        "AWS_REGION": options.region,
        "AWS_DEFAULT_REGION": options.region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{spec.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": spec.log_format,
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{spec.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"{datetime.now(UTC):%Y/%m/%d}/[$LATEST]{uuid4().hex}",
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
        "LAMBDA_TASK_ROOT": str(spec.code_dir),
        "LAMBDA_RUNTIME_DIR": str(spec.code_dir),
        "PYTHONPATH": os.pathsep.join((*own_path, *map(str, folders))),
        "PYTHONUNBUFFERED": "1",
    }
    # The keys of the execution role: made up, as nothing here checks a signature. No metadata service is asked.
    credentials = {
        "AWS_ACCESS_KEY_ID": "ASIAEMULATOR00000000",
        "AWS_SECRET_ACCESS_KEY": "emulator",
        "AWS_SESSION_TOKEN": "emulator",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    if spec.log_level is not None:
        defined["AWS_LAMBDA_LOG_LEVEL"] = spec.log_level
    # A path of the function's own stands before the rest, not in its place: the runtime must be found.
    own = {name: value for name, value in spec.environment.items() if name != "PYTHONPATH"}
    return {**kept, **defined, **credentials, **own, **extra, **spec.passed}
