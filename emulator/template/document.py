"""Reading a template's text.

CloudFormation takes YAML 1.1, where a bare `on` or `TRUE` is a boolean, and refuses keys that are no strings ("map keys
must be strings; received numeric ... instead"):
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
"""

from pathlib import Path

import yaml
from samtranslator.yaml_helper import intrinsics_multi_constructor

from emulator.template.values import Object, TemplateError

_STRING = "tag:yaml.org,2002:str"
_TIME = "tag:yaml.org,2002:timestamp"
_MERGE = "tag:yaml.org,2002:merge"
_NAMES = {
    "tag:yaml.org,2002:bool": "a boolean",
    "tag:yaml.org,2002:int": "a number",
    "tag:yaml.org,2002:float": "a number",
    "tag:yaml.org,2002:null": "null",
    _TIME: "a date",
}


class _Loader(yaml.SafeLoader):
    """With the short forms of the intrinsic functions, such as `!Ref`."""


_Loader.add_multi_constructor("!", intrinsics_multi_constructor)


def parse(text: str, path: Path) -> Object:
    """The template with this text; a date in it is the text that it is written as. Raises `TemplateError`."""
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is not None:
            _check(node, path, (), set())
        document = None if node is None else loader.construct_document(node)
    except yaml.YAMLError as error:
        raise TemplateError(f"{path}{_where(error)}") from None
    if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
        raise TemplateError(f"{path}: not a template: it has no Resources")
    return document


def _check(node: yaml.Node, path: Path, place: tuple[str, ...], seen: set[int]) -> None:
    """Refuse keys that are no strings, and make strings of dates. `seen` are the ids of nodes that have been."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if node.tag == _TIME:
        node.tag = _STRING
    if isinstance(node, yaml.SequenceNode):
        for index, each in enumerate(node.value):
            _check(each, path, (*place, str(index)), seen)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.tag not in (_STRING, _MERGE):
                where = ".".join(place) or "the template"
                mark, name = key.start_mark, _NAMES.get(key.tag)
                said = (
                    f"the key {key.value}, in YAML {name} and no string; quote it"
                    if name
                    else "a key that is no string"
                )
                raise TemplateError(f"{path}:{mark.line + 1}:{mark.column + 1}: {where} has {said}")
            _check(value, path, (*place, key.value), seen)


def _where(error: yaml.YAMLError) -> str:
    """`:LINE:COLUMN: what is wrong there`, as compilers say it."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f":{mark.line + 1}:{mark.column + 1}: {' '.join((error.problem or 'not YAML').split())}"
    return f": {' '.join(str(error).split())}"
