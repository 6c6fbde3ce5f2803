"""The Lambda functions of a resolved template."""

import re
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from emulator.contract import FunctionSpec
from emulator.packages import InstallFailed, Packages
from emulator.template.folders import local_folder
from emulator.template.invoke_configs import InvokeConfigs
from emulator.template.layers import Layers
from emulator.template.properties import left_out
from emulator.template.resolver import Resolver
from emulator.template.values import Json, Object, TemplateError, as_int, as_list, as_object, as_text

# Those that Lambda sets and refuses to have set:
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
_RESERVED = frozenset({
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API", "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
})  # fmt: skip
# https://docs.aws.amazon.com/lambda/latest/api/API_Environment.html
_VARIABLE = re.compile(r"[a-zA-Z][a-zA-Z0-9_]+")
_PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"


@dataclass
class Functions:
    """Reads functions; gathers what is left out in `unsupported`, what differs from AWS in `notes`.

    `root` is the template's folder; `built` are the folders, as the template writes them, of layers that `sam build`
    builds.
    """

    resolver: Resolver
    root: Path
    packages: Packages
    built: frozenset[str] = frozenset()
    unsupported: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def read(self) -> tuple[FunctionSpec, ...]:
        """All functions that can run here. Packages that they require are installed if they are not yet."""
        self._check_folders()
        configs = InvokeConfigs(self.resolver)
        layers = Layers(self.resolver, root=self.root, packages=self.packages, built=self.built)
        layers.read()
        specs = [self._function(logical_id, configs, layers) for logical_id in self._logical_ids()]
        found = tuple(spec for spec in specs if spec is not None)
        self.unsupported += [*layers.unsupported, *configs.unsupported]
        self.notes += [*layers.notes, *configs.notes, *_other_versions(found)]
        return found

    def _check_folders(self) -> None:
        """Name all folders that are missing, before anything is installed, which may take minutes."""
        missing = []
        for kind, key in (("AWS::Lambda::LayerVersion", "Content"), ("AWS::Lambda::Function", "Code")):
            for logical_id in self.resolver.of_type(kind):
                properties = self.resolver.properties(logical_id)
                folder = local_folder(properties.get(key))
                runs = key == "Content" or _not_python(logical_id, properties) is None
                if runs and folder is not None and not (self.root / folder).exists():
                    missing.append(f"{logical_id}: there is no folder {folder}")
        if missing:
            raise TemplateError("; ".join(missing))

    def _logical_ids(self) -> list[str]:
        return self.resolver.of_type("AWS::Lambda::Function")

    def _function(self, logical_id: str, configs: InvokeConfigs, layers: Layers) -> FunctionSpec | None:
        properties = self.resolver.properties(logical_id)
        reason = _not_python(logical_id, properties)
        code_dir = None if reason else self._code_dir(logical_id, properties.get("Code"))
        if code_dir is None:
            what = reason or "its code is not a local folder (CodeUri)"
            self.unsupported.append(f"{logical_id}: {what}; the function does not run here")
            return None
        self._tell(logical_id, properties)
        name = self.resolver.name(logical_id)
        config = configs.of(name)
        logging = as_object(properties.get("LoggingConfig"), f"{logical_id}: LoggingConfig")
        tenancy = as_object(properties.get("TenancyConfig"), f"{logical_id}: TenancyConfig")
        reserved = properties.get("ReservedConcurrentExecutions")
        attached = layers.attached(logical_id, as_list(properties.get("Layers"), f"{logical_id}: Layers"))
        return FunctionSpec(
            logical_id=logical_id,
            name=name,
            handler=as_text(properties.get("Handler"), f"{logical_id}: Handler"),
            code_dir=code_dir,
            layer_dirs=tuple(layer.content for layer in attached if layer.content is not None),
            environment=_environment(logical_id, properties),
            # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
            timeout_s=_within(properties.get("Timeout", 3), f"{logical_id}: Timeout", 1, 900),
            memory_mb=_within(properties.get("MemorySize", 128), f"{logical_id}: MemorySize", 128, 10240),
            reserved_concurrency=(
                None if reserved is None else as_int(reserved, f"{logical_id}: ReservedConcurrentExecutions")
            ),
            tenant_isolation=tenancy.get("TenantIsolationMode") == "PER_TENANT",
            max_retries=config.max_retries,
            max_event_age_s=config.max_event_age_s,
            on_failure=config.on_failure,
            on_success=config.on_success,
            dead_letter=_dead_letter(logical_id, properties),
            log_format=_log_format(logging.get("LogFormat")),
            log_level=_log_level(logging),
            runtime=as_text(properties.get("Runtime"), f"{logical_id}: Runtime"),
            import_path=(
                *self._required(logical_id, code_dir),
                # All layers are unpacked into one folder in turn, so a file of a later one lies over an earlier one's.
                *(folder for layer in reversed(attached) for folder in layer.import_path),
                self.packages.runtime(),
            ),
        )

    def _code_dir(self, logical_id: str, code: Json) -> Path | None:
        inline = code.get("ZipFile") if isinstance(code, dict) else None
        if inline is not None:
            return self.packages.inline(as_text(inline, f"{logical_id}: inline code"))
        folder = local_folder(code)
        if folder is None:
            return None
        path = (self.root / folder).resolve()
        if path.is_file():
            return None  # an archive
        return path

    def _required(self, logical_id: str, folder: Path) -> list[Path]:
        """The packages of the `requirements.txt` in `folder`, which `sam build` puts beside the code."""
        requirements = folder / "requirements.txt"
        if not requirements.is_file():
            return []
        try:
            found = self.packages.of(requirements, beside=folder)
        except InstallFailed as error:
            raise TemplateError(f"{logical_id}: {error}") from None
        return [] if found is None else [found]

    def _tell(self, logical_id: str, properties: Object) -> None:
        self.notes += left_out(
            logical_id,
            "AWS::Lambda::Function",
            {name: value for name, value in properties.items() if (name, value) != ("SnapStart", {"ApplyOn": "None"})},
        )


def _dead_letter(logical_id: str, properties: Object) -> str | None:
    target = as_object(properties.get("DeadLetterConfig"), f"{logical_id}: DeadLetterConfig").get("TargetArn")
    return None if target is None else as_text(target, f"{logical_id}: DeadLetterConfig")


def _not_python(logical_id: str, properties: Object) -> str | None:
    code = properties.get("Code")
    if properties.get("PackageType") == "Image" or (isinstance(code, dict) and "ImageUri" in code):
        return "it is a container image"
    runtime = as_text(properties.get("Runtime", "none"), f"{logical_id}: Runtime")
    return None if runtime.startswith("python3.") else f"its runtime is {runtime}, not Python"


def _other_versions(specs: tuple[FunctionSpec, ...]) -> list[str]:
    of_version: defaultdict[str, list[str]] = defaultdict(list)
    for spec in specs:
        of_version[spec.runtime].append(spec.logical_id)
    return [
        f"{', '.join(names)}: runs on {_PYTHON} here, not on {version}"
        for version, names in sorted(of_version.items())
        if version != _PYTHON
    ]


def _environment(logical_id: str, properties: Object) -> dict[str, str]:
    environment = as_object(properties.get("Environment"), f"{logical_id}: Environment")
    variables = as_object(environment.get("Variables"), f"{logical_id}: environment variables")
    if reserved := sorted(_RESERVED & variables.keys()):
        raise TemplateError(
            f"{logical_id}: environment variable {', '.join(reserved)} is Lambda's own and can't be set"
        )
    if odd := [name for name in variables if _VARIABLE.fullmatch(name) is None]:
        raise TemplateError(
            f"{logical_id}: environment variable {', '.join(odd)}: a name has a letter first, "
            "then at least one more letter, digit or underscore"
        )
    return {key: as_text(value, f"{logical_id}: environment variable {key}") for key, value in variables.items()}


def _within(value: Json, what: str, least: int, most: int) -> int:
    number = as_int(value, what)
    if not least <= number <= most:
        raise TemplateError(f"{what} is {number}, not from {least} to {most}")
    return number


def _log_format(value: Json) -> Literal["Text", "JSON"]:
    return "JSON" if value == "JSON" else "Text"


def _log_level(logging: Object) -> str | None:
    if logging.get("LogFormat") != "JSON":
        return None
    return as_text(logging.get("ApplicationLogLevel", "INFO"), "ApplicationLogLevel")
