"""Intrinsic functions, conditions and references of a plain CloudFormation template.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from emulator.template.names import NAME_PROPERTIES, Place, attribute, default_name, reference
from emulator.template.values import Json, Object, TemplateError, as_int, as_list, as_object, as_text


class Dropped:
    """The value of `AWS::NoValue`: the property that has it is not there."""


_DROPPED = Dropped()
# These names must end in `.fifo`.
_FIFO = {"AWS::SQS::Queue": "FifoQueue", "AWS::SNS::Topic": "FifoTopic"}
_PLACEHOLDER = re.compile(r"\$\{(!?)([^${}]*)\}")


class Resolver:
    """Gives plain values for what a template says, lazily: a part that is never asked for need not resolve."""

    def __init__(self, template: Object, *, parameters: Mapping[str, Json], place: Place) -> None:
        self._parameters = parameters
        self._place = place
        self._mappings = as_object(template.get("Mappings"), "Mappings")
        self._conditions = as_object(template.get("Conditions"), "Conditions")
        self._resources = as_object(template.get("Resources"), "Resources")
        self._names: dict[str, str] = {}
        self._functions: dict[str, Callable[[Json], Json | Dropped]] = {
            "Ref": self._ref,
            "Condition": lambda name: self.condition(as_text(name, "Condition")),
            "Fn::And": lambda terms: all(self._truth(term) for term in as_list(terms, "Fn::And")),
            "Fn::Base64": lambda text: base64.b64encode(self.text(text, "Fn::Base64").encode()).decode(),
            "Fn::Cidr": lambda _: self._left_out("Fn::Cidr"),
            "Fn::Equals": self._equals,
            "Fn::FindInMap": self._find_in_map,
            "Fn::GetAtt": self._get_att,
            "Fn::GetAZs": lambda _: [f"{self._place.region}{zone}" for zone in "abc"],
            "Fn::If": self._if,
            "Fn::ImportValue": self._import_value,
            "Fn::Join": self._join,
            "Fn::Length": lambda items: len(as_list(self.value(items), "Fn::Length")),
            "Fn::Not": lambda terms: not self._truth(_items(terms, "Fn::Not", 1)[0]),
            "Fn::Or": lambda terms: any(self._truth(term) for term in as_list(terms, "Fn::Or")),
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::Sub": self._sub,
            "Fn::Transform": lambda _: self._left_out("Fn::Transform"),
            "Fn::ToJsonString": lambda node: json.dumps(self.value(node), separators=(",", ":")),
        }
        self._placeholders: dict[str, None] = {}
        self._resolving: list[str] = []

    @property
    def notes(self) -> tuple[str, ...]:
        """One line for each value that was asked for and could not be known: a text stands in its place."""
        return tuple(self._placeholders)

    def value(self, node: Json) -> Json:
        """The plain value of `node`; None if it is `AWS::NoValue`."""
        resolved = self._resolve(node)
        return None if isinstance(resolved, Dropped) else resolved

    def text(self, node: Json, what: str) -> str:
        """The plain string of `node`."""
        return as_text(self.value(node), what)

    def properties(self, logical_id: str) -> Object:
        """All properties of a resource as plain values."""
        resource = as_object(self._resources[logical_id], logical_id)
        try:
            return as_object(self.value(resource.get("Properties")), f"properties of {logical_id}")
        except TemplateError as error:
            raise TemplateError(f"{logical_id}: {error}") from None

    def exists(self, logical_id: str) -> bool:
        """Whether the template has the resource and its condition holds."""
        if logical_id not in self._resources:
            return False
        condition = as_object(self._resources[logical_id], logical_id).get("Condition")
        return condition is None or self.condition(as_text(condition, "Condition"))

    def kind(self, logical_id: str) -> str:
        """The resource's type."""
        return as_text(as_object(self._resources[logical_id], logical_id).get("Type"), f"type of {logical_id}")

    def of_type(self, kind: str) -> list[str]:
        """Logical ids of the existing resources of a type."""
        return [each for each in self._resources if self.exists(each) and self.kind(each) == kind]

    def name(self, logical_id: str) -> str:
        """The physical name of a resource: the template's, else one made up."""
        if logical_id not in self._names:
            kind = self.kind(logical_id)
            key = NAME_PROPERTIES.get(kind)
            resource = as_object(self._resources[logical_id], logical_id)
            named = as_object(resource.get("Properties"), logical_id).get(key) if key is not None else None
            with self._once(logical_id):
                given = self.value(named)
            made_up = default_name(kind, logical_id, self._place)
            if as_object(resource.get("Properties"), logical_id).get(_FIFO.get(kind, "")) in (True, "true"):
                made_up += ".fifo"
            self._names[logical_id] = made_up if given is None else as_text(given, f"name of {logical_id}")
        return self._names[logical_id]

    @contextmanager
    def _once(self, what: str) -> Iterator[None]:
        if what in self._resolving:
            raise TemplateError(f"circular reference: {' -> '.join((*self._resolving, what))}")
        self._resolving.append(what)
        try:
            yield
        finally:
            self._resolving.pop()

    def condition(self, name: str) -> bool:
        """Whether a named condition holds."""
        if name not in self._conditions:
            raise TemplateError(f"the template has no condition {name}")
        with self._once(f"condition {name}"):
            return self._truth(self._conditions[name])

    def _truth(self, node: Json) -> bool:
        return self.value(node) in (True, "true")

    def _resolve(self, node: Json) -> "Json | Dropped":
        if isinstance(node, list):
            items = [self._resolve(item) for item in node]
            return [item for item in items if not isinstance(item, Dropped)]
        if isinstance(node, str):
            return self._noted(node)
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            key, argument = next(iter(node.items()))
            if key in self._functions and (key != "Condition" or isinstance(argument, str)):
                return self._functions[key](argument)
            if key.startswith("Fn::"):
                raise TemplateError(f"{key} is not supported")
        resolved = {key: self._resolve(value) for key, value in node.items()}
        return {key: value for key, value in resolved.items() if not isinstance(value, Dropped)}

    def _noted(self, text: str) -> str:
        if "{{resolve:" in text:
            self._placeholders[f"{text} is not looked up here: the text stands as it is"] = None
        return text

    def _ref(self, argument: Json) -> "Json | Dropped":
        name = as_text(argument, "Ref")
        if name == "AWS::NoValue":
            return _DROPPED
        if name in self._parameters:
            return self._parameters[name]
        pseudo = self._place.pseudo(name)
        if pseudo is not None:
            return [*pseudo] if isinstance(pseudo, list) else pseudo
        if not self.exists(name):
            raise TemplateError(f"Ref: there is no {name}")
        kind = self.kind(name)
        if kind in {"AWS::Lambda::Alias", "AWS::Lambda::Version"}:
            return self._qualified(name, kind)
        return reference(kind, self.name(name), self._place)

    def _qualified(self, logical_id: str, kind: str) -> str:
        """The ARN of a function with an alias or a version, of which there is only the first here."""
        properties = self.properties(logical_id)
        function = as_text(properties.get("FunctionName"), f"{logical_id}: FunctionName").rsplit(":function:")[-1]
        qualifier = "1" if kind == "AWS::Lambda::Version" else as_text(properties.get("Name"), f"{logical_id}: Name")
        return self._place.arn("lambda", f"function:{function.split(':')[0]}:{qualifier}")

    def _get_att(self, argument: Json) -> Json:
        if isinstance(argument, str):
            logical_id, _, wanted = argument.partition(".")
        else:
            parts = _items(argument, "Fn::GetAtt", 2)
            logical_id, wanted = self.text(parts[0], "Fn::GetAtt"), self.text(parts[1], "Fn::GetAtt")
        if not self.exists(logical_id):
            raise TemplateError(f"Fn::GetAtt: there is no {logical_id}")
        if self.kind(logical_id) in {"AWS::Lambda::Alias", "AWS::Lambda::Version"}:
            qualified = self._qualified(logical_id, self.kind(logical_id))
            return qualified.rsplit(":", 1)[1] if wanted == "Version" else qualified
        if self.kind(logical_id) == "AWS::SSM::Parameter" and wanted in {"Type", "Value"}:
            return self.properties(logical_id).get(wanted)
        found = attribute(self.kind(logical_id), self.name(logical_id), wanted, self._place)
        if found is None:
            return self._placeholder(f"Fn::GetAtt {logical_id}.{wanted}", f"{logical_id}.{wanted}")
        return found

    def _placeholder(self, what: str, text: str) -> str:
        self._placeholders[f"{what} is not known here: {text!r} stands for it"] = None
        return text

    def _left_out(self, what: str) -> Dropped:
        self._placeholders[f"{what} is not evaluated here: what it gives is left out"] = None
        return _DROPPED

    def _import_value(self, argument: Json) -> Json:
        name = self.text(argument, "Fn::ImportValue")
        return self._placeholder(f"Fn::ImportValue {name}", name)

    def _sub(self, argument: Json) -> Json:
        template, named = _items(argument, "Fn::Sub", 2) if isinstance(argument, list) else (argument, None)
        values = as_object(named, "Fn::Sub")

        def replaced(match: re.Match[str]) -> str:
            literal, name = match[1], match[2].strip()
            if literal:
                return f"${{{match[2]}}}"
            if name in values:
                return self.text(values[name], f"Fn::Sub {name}")
            node: Json = {"Fn::GetAtt": name} if "." in name else {"Ref": name}
            return self.text(node, f"Fn::Sub {name}")

        return self._noted(_PLACEHOLDER.sub(replaced, as_text(template, "Fn::Sub")))

    def _join(self, argument: Json) -> Json:
        separator, items = _items(argument, "Fn::Join", 2)
        return self._noted(
            as_text(separator, "Fn::Join").join(
                as_text(item, "Fn::Join") for item in as_list(self.value(items), "Fn::Join")
            )
        )

    def _split(self, argument: Json) -> Json:
        separator, text = _items(argument, "Fn::Split", 2)
        delimiter = as_text(separator, "Fn::Split")
        if not delimiter:
            raise TemplateError("Fn::Split: the delimiter is empty")
        return [*self.text(text, "Fn::Split").split(delimiter)]

    def _select(self, argument: Json) -> Json:
        index, items = _items(argument, "Fn::Select", 2)
        found = as_list(self.value(items), "Fn::Select")
        position = as_int(self.value(index), "Fn::Select")
        if not 0 <= position < len(found):
            raise TemplateError(f"Fn::Select: no item {position} in a list of {len(found)}")
        return found[position]

    def _if(self, argument: Json) -> "Json | Dropped":
        name, yes, no = _items(argument, "Fn::If", 3)
        return self._resolve(yes if self.condition(as_text(name, "Fn::If")) else no)

    def _equals(self, argument: Json) -> Json:
        left, right = _items(argument, "Fn::Equals", 2)
        return self.text(left, "Fn::Equals") == self.text(right, "Fn::Equals")

    def _find_in_map(self, argument: Json) -> Json:
        """With the default of the language extensions, `[map, first, second, {DefaultValue: ...}]`."""
        parts = as_list(argument, "Fn::FindInMap")
        names = [self.text(part, "Fn::FindInMap") for part in parts[:3]]
        node: Json = self._mappings
        for name in names:
            node = as_object(node, "Fn::FindInMap").get(name)
            if node is None:
                break
        if node is None and len(parts) > 3:
            return self.value(as_object(parts[3], "Fn::FindInMap").get("DefaultValue"))
        if node is None:
            raise TemplateError(f"Fn::FindInMap: there is no {'.'.join(names)}")
        return node


def _items(argument: Json, name: str, count: int) -> list[Json]:
    found = as_list(argument, name)
    if len(found) != count:
        raise TemplateError(f"{name} takes a list of {count}, not of {len(found)}")
    return found
