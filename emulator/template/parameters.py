"""Values of a template's parameters, held against their declarations.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

import re
from collections.abc import Mapping

from emulator.template.values import Json, Object, TemplateError, as_float, as_list, as_object, as_text


def parameter_values(declared: Object, given: Mapping[str, str]) -> dict[str, Json]:
    """The value of every declared parameter: as given, else its default. Lists for the list types."""
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise TemplateError(f"the template has no parameter {', '.join(unknown)}")
    return {
        name: _value(name, as_object(declaration, f"parameter {name}"), given.get(name))
        for name, declaration in declared.items()
    }


def untrue_parameters(declared: Object) -> list[str]:
    """One line for each parameter whose value CloudFormation would look up in Parameter Store under that name."""
    return [
        f"parameter {name}: nothing is read from Parameter Store; the parameter's own name stands for its value"
        for name, declaration in declared.items()
        if str(as_object(declaration, f"parameter {name}").get("Type")).startswith("AWS::SSM::Parameter::Value<")
    ]


def _value(name: str, declaration: Object, given: str | None) -> Json:
    if given is not None:
        text = given
    elif "Default" in declaration:
        text = as_text(declaration["Default"], f"default of parameter {name}")
    else:
        raise TemplateError(f"parameter {name} needs a value: it has no default")
    kind = declaration.get("Type")
    items = [item.strip() for item in text.split(",")] if _is_list(kind) else None
    for item in [text] if items is None else items:
        _check(name, item, declaration)
    return text if items is None else list(items)


def _is_list(kind: Json) -> bool:
    text = kind if isinstance(kind, str) else ""
    return text.removeprefix("AWS::SSM::Parameter::Value<").rstrip(">").startswith(("CommaDelimitedList", "List<"))


def _check(name: str, text: str, declaration: Object) -> None:
    hint = declaration.get("ConstraintDescription")
    said = f"parameter {name}: {text!r} " + (f"must be {hint}" if isinstance(hint, str) else "is not allowed")
    allowed = [as_text(value, name) for value in as_list(declaration.get("AllowedValues"), name)]
    if allowed and text not in allowed:
        raise TemplateError(f"{said} (one of {', '.join(allowed)})")
    pattern = declaration.get("AllowedPattern")
    if isinstance(pattern, str):
        try:
            fits = re.fullmatch(pattern, text) is not None
        except re.error as error:
            raise TemplateError(f"parameter {name}: AllowedPattern {pattern!r} can't be read: {error}") from None
        if not fits:
            raise TemplateError(f"{said} (pattern {pattern})")
    if declaration.get("Type") == "Number":
        try:
            number = float(text)
        except ValueError:
            raise TemplateError(f"parameter {name}: {text!r} is not a number") from None
        _check_bounds(said, number, declaration, "MinValue", "MaxValue")
    else:
        _check_bounds(said, len(text), declaration, "MinLength", "MaxLength")


def _check_bounds(said: str, number: float, declaration: Object, low: str, high: str) -> None:
    if low in declaration and number < as_float(declaration[low], low):
        raise TemplateError(f"{said} ({low} {declaration[low]})")
    if high in declaration and number > as_float(declaration[high], high):
        raise TemplateError(f"{said} ({high} {declaration[high]})")
