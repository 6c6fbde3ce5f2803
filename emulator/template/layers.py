"""The layers of a resolved template.

https://docs.aws.amazon.com/lambda/latest/dg/python-layers.html
"""

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

from packaging.requirements import Requirement

from emulator.packages import InstallFailed, Packages
from emulator.template.folders import local_folder
from emulator.template.properties import left_out
from emulator.template.resolver import Resolver
from emulator.template.values import Json, TemplateError, as_text

_KIND = "AWS::Lambda::LayerVersion"
# The account and names under which AWS publishes Powertools, the layer that others' templates name most often:
# https://docs.aws.amazon.com/powertools/python/latest/getting-started/install/
_POWERTOOLS = re.compile(r"arn:aws[a-z-]*:lambda:[^:]*:\d{12}:layer:AWSLambdaPowertoolsPython.*")
_POWERTOOLS_PACKAGES = (Requirement("aws-lambda-powertools[all]"), Requirement("aws-lambda-powertools"))


@dataclass(frozen=True)
class Layer:
    """`content` is the folder with the modules that the template brings, `import_path` where modules are found."""

    content: Path | None
    import_path: tuple[Path, ...]


@dataclass
class Layers:
    """Reads layers; gathers what is left out in `unsupported`, what differs from AWS in `notes`."""

    resolver: Resolver
    root: Path
    packages: Packages
    built: frozenset[str]
    unsupported: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _found: dict[str, Layer] = field(default_factory=dict)
    _elsewhere: dict[str, Layer] = field(default_factory=dict)

    def read(self) -> None:
        """Find the template's layers, and install what they require."""
        for logical_id in self.resolver.of_type(_KIND):
            properties = self.resolver.properties(logical_id)
            self.notes += left_out(logical_id, _KIND, properties)
            folder = local_folder(properties.get("Content"))
            path = None if folder is None else (self.root / folder).resolve()
            if folder is None or path is None or path.is_file():
                self.unsupported.append(f"{logical_id}: its content is not a local folder; the layer is left out")
                self._found[self.resolver.text({"Ref": logical_id}, logical_id)] = Layer(None, ())
                continue
            layer = self._layer(logical_id, path, is_built=folder in self.built)
            self._found[self.resolver.text({"Ref": logical_id}, logical_id)] = layer

    def attached(self, logical_id: str, arns: list[Json]) -> list[Layer]:
        """The layers of a function, in the template's order."""
        texts = [as_text(arn, f"{logical_id}: Layers") for arn in arns]
        return [self._found.get(text) or self._from_elsewhere(text) for text in texts]

    def _layer(self, logical_id: str, path: Path, *, is_built: bool) -> Layer:
        # Lambda has `python/` on the path, and a folder deeper in it. A source that is still to be built may lie bare.
        content = path / "python"
        if not content.is_dir():
            content = path
            if not is_built:
                self.notes.append(
                    f"{logical_id}: it has neither a folder python/ nor a BuildMethod; on AWS its modules are not found"
                )
        site = content / f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
        required = self._required(logical_id, path, content, is_built=is_built)
        return Layer(content, (content, *([site] if site.is_dir() else []), *([required] if required else [])))

    def _required(self, logical_id: str, path: Path, content: Path, *, is_built: bool) -> Path | None:
        requirements = path / "requirements.txt"
        if not requirements.is_file():
            return None
        try:
            found = self.packages.of(requirements, beside=content)
        except InstallFailed as error:
            raise TemplateError(f"{logical_id}: {error}") from None
        if found is not None and not is_built:
            self.notes.append(
                f"{logical_id}: its requirements.txt is installed here, but `sam build` does so only with a BuildMethod"
            )
        return found

    def _from_elsewhere(self, arn: str) -> Layer:
        if arn not in self._elsewhere:
            found = None
            if _POWERTOOLS.fullmatch(arn):
                found = self.packages.first(_POWERTOOLS_PACKAGES)
            self._elsewhere[arn] = Layer(None, () if found is None else (found,))
            if found is None:
                self.unsupported.append(f"layer {arn} is not in the template, so it is left out")
            else:
                self.notes.append(
                    f"layer {arn}: the installed aws-lambda-powertools stands for it, without its other versions"
                )
        return self._elsewhere[arn]
