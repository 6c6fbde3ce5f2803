"""A template read and translated to plain CloudFormation, once for each text: the result is kept in the user's cache.

YAML's reader and the SAM translator take a third of a second to import and a tenth to run, which is half of what an
emulator's start takes: so neither is imported while the cache has the answer.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import samtranslator

from emulator.packages import cache
from emulator.template.parameters import parameter_values
from emulator.template.values import Json, Object, TemplateError, as_object

_KEPT = 50
_SOURCES = ("document.py", "folders.py", "translator.py", "translation.py")


@dataclass(frozen=True)
class Translation:
    """A template as written, the values of its parameters, and the plain CloudFormation that it stands for."""

    document: Object
    values: Mapping[str, Json]
    plain: Object


def translate(template: Path, *, parameters: Mapping[str, str], region: str, folder: Path) -> Translation:
    """Read a template and translate it, or take what was kept of that before.

    Args:
        template: The SAM template.
        parameters: Values over the defaults of its parameters.
        region: The region that the translator writes into names.
        folder: Where translations are kept.

    Raises:
        TemplateError: It can't be read, or the translator refuses it.
    """
    try:
        text = template.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise TemplateError(f"there is no template {template}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(f"{template} can't be read: {getattr(error, 'strerror', None) or error}") from None
    given = json.dumps(dict(parameters), sort_keys=True)
    sources = (Path(__file__).with_name(name).read_text(encoding="utf-8") for name in _SOURCES)
    kept = folder / f"{cache.key(text, given, region, samtranslator.__version__, *sources)}.json"
    found = _read(kept)
    if found is None:
        found = _translated(text, template, parameters, region)
        _write(kept, found)
    document = as_object(found["document"], "the template")
    return Translation(document, _values(document, parameters), as_object(found["plain"], "the translated template"))


def _translated(text: str, template: Path, parameters: Mapping[str, str], region: str) -> Object:
    from emulator.template.document import parse  # noqa: PLC0415 - see above
    from emulator.template.translator import to_cloudformation  # noqa: PLC0415 - see above

    document = parse(text, template)
    return {
        "document": document,
        "plain": to_cloudformation(document, parameters=_values(document, parameters), region=region),
    }


def _values(document: Object, parameters: Mapping[str, str]) -> dict[str, Json]:
    return parameter_values(as_object(document.get("Parameters"), "Parameters"), parameters)


def _read(kept: Path) -> Object | None:
    try:
        found = json.loads(kept.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # not there, or the machine stopped before its text was on the disk
        return None
    with suppress(OSError):
        os.utime(kept)  # the oldest leave
    return found if isinstance(found, dict) else None


def _write(kept: Path, translation: Object) -> None:
    try:
        text = json.dumps(translation)
    except TypeError:
        return  # YAML has values that JSON has not, such as !!binary
    with suppress(OSError):  # nothing but time is lost where nothing can be kept
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=kept.parent, encoding="utf-8", delete=False) as part:
            part.write(text)
        Path(part.name).replace(kept)
        for old in sorted(kept.parent.iterdir(), key=lambda each: each.stat().st_mtime)[:-_KEPT]:
            old.unlink()
