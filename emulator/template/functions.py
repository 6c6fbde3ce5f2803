"""The Lambda functions and layers of a resolved template."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from emulator.contract import FunctionSpec
from emulator.template.errors import TemplateError
from emulator.template.resolver import Resolver
from emulator.template.transform import local_folder
from emulator.template.values import Json, Object, as_int, as_list, as_object, as_text


@dataclass
class Functions:
    """Reads functions; gathers what is not supported in `unsupported`."""

    resolver: Resolver
    root: Path
    unsupported: list[str] = field(default_factory=list)

    def read(self) -> tuple[FunctionSpec, ...]:
        """All functions that can run here."""
        invoke_configs = self._invoke_configs()
        layers = self._layers()
        specs = (
            self._function(logical_id, invoke_configs, layers)
            for logical_id in self.resolver.of_type("AWS::Lambda::Function")
        )
        return tuple(spec for spec in specs if spec is not None)

    def _function(
        self, logical_id: str, invoke_configs: dict[str, Object], layers: dict[str, Path]
    ) -> FunctionSpec | None:
        properties = self.resolver.properties(logical_id)
        folder = local_folder(properties.get("Code"))
        runtime = as_text(properties.get("Runtime", ""), f"runtime of {logical_id}")
        if folder is None or not runtime.startswith("python"):
            self.unsupported.append(f"{logical_id}: only Python functions with a local CodeUri folder run here")
            return None
        code_dir = (self.root / folder).resolve()
        if not code_dir.is_dir():
            raise TemplateError(f"{logical_id}: there is no folder {folder}")
        name = self.resolver.name(logical_id)
        config = invoke_configs.get(name, {})
        logging = as_object(properties.get("LoggingConfig"), f"LoggingConfig of {logical_id}")
        variables = as_object(as_object(properties.get("Environment"), logical_id).get("Variables"), logical_id)
        tenancy = as_object(properties.get("TenancyConfig"), f"TenancyConfig of {logical_id}")
        reserved = properties.get("ReservedConcurrentExecutions")
        return FunctionSpec(
            logical_id=logical_id,
            name=name,
            handler=as_text(properties.get("Handler"), f"handler of {logical_id}"),
            code_dir=code_dir,
            layer_dirs=self._layer_dirs(logical_id, as_list(properties.get("Layers"), logical_id), layers),
            environment={key: as_text(value, f"{logical_id}: {key}") for key, value in variables.items()},
            timeout_s=as_int(properties.get("Timeout", 3), f"timeout of {logical_id}"),
            memory_mb=as_int(properties.get("MemorySize", 128), f"memory of {logical_id}"),
            reserved_concurrency=None if reserved is None else as_int(reserved, f"concurrency of {logical_id}"),
            tenant_isolation=tenancy.get("TenantIsolationMode") == "PER_TENANT",
            max_retries=as_int(config.get("MaximumRetryAttempts", 2), f"retries of {logical_id}"),
            max_event_age_s=as_int(config.get("MaximumEventAgeInSeconds", 21600), f"event age of {logical_id}"),
            on_failure=self._on_failure(logical_id, config),
            log_format=_log_format(logging.get("LogFormat")),
            log_level=_log_level(logging),
        )

    def _invoke_configs(self) -> dict[str, Object]:
        found: dict[str, Object] = {}
        for logical_id in self.resolver.of_type("AWS::Lambda::EventInvokeConfig"):
            properties = self.resolver.properties(logical_id)
            found[as_text(properties.get("FunctionName"), logical_id).rsplit(":", 1)[-1]] = properties
        return found

    def _on_failure(self, logical_id: str, config: Object) -> str | None:
        destinations = as_object(config.get("DestinationConfig"), logical_id)
        if "OnSuccess" in destinations:
            self.unsupported.append(f"{logical_id}: OnSuccess destinations are not delivered")
        target = as_object(destinations.get("OnFailure"), logical_id).get("Destination")
        if target is None:
            return None
        arn = as_text(target, f"OnFailure of {logical_id}")
        if ":function:" in arn:
            return arn.split(":function:")[1].split(":")[0]
        if ":sqs:" in arn:
            return arn
        self.unsupported.append(f"{logical_id}: an OnFailure destination is a function or a queue here, not {arn}")
        return None

    def _layers(self) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for logical_id in self.resolver.of_type("AWS::Lambda::LayerVersion"):
            folder = local_folder(self.resolver.properties(logical_id).get("Content"))
            if folder is None:
                continue
            path = (self.root / folder).resolve()
            if not path.is_dir():
                raise TemplateError(f"{logical_id}: there is no folder {folder}")
            found[self.resolver.text({"Ref": logical_id}, logical_id)] = path
        return found

    def _layer_dirs(self, logical_id: str, arns: list[Json], layers: dict[str, Path]) -> tuple[Path, ...]:
        folders: list[Path] = []
        for arn in arns:
            text = as_text(arn, f"layer of {logical_id}")
            if text not in layers:
                self.unsupported.append(f"{logical_id}: layer {text} is not in the template")
                continue
            # Built layers hold `python/`, which Lambda puts on the path; sources may lie bare.
            # https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html#packaging-layers-paths
            built = layers[text] / "python"
            folders.append(built if built.is_dir() else layers[text])
        return tuple(folders)


def _log_format(value: Json) -> Literal["Text", "JSON"]:
    return "JSON" if value == "JSON" else "Text"


def _log_level(logging: Object) -> str | None:
    if logging.get("LogFormat") != "JSON":
        return None
    return as_text(logging.get("ApplicationLogLevel", "INFO"), "ApplicationLogLevel")
