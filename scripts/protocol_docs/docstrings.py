"""What stands below a field: attribute docstrings, which Python itself does not keep.

pydantic could read them (`use_attribute_docstrings`), but would parse the source at every cold start of a function.
"""

import ast
import inspect
import itertools
import textwrap
from functools import cache

from pydantic import BaseModel


def text_of(thing: type) -> str:
    """A class's own docstring on one line. Raises `ValueError` where there is none."""
    if not thing.__doc__:
        raise ValueError(f"{thing.__name__} has no docstring")
    return _one_line(thing.__doc__)


def field_texts(model: type[BaseModel]) -> dict[str, str]:
    """Field name to docstring, inherited fields included."""
    texts: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel:
            texts.update(_own_texts(base))
    return texts


@cache
def _own_texts(model: type[BaseModel]) -> dict[str, str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(model)))
    body = next(node for node in tree.body if isinstance(node, ast.ClassDef)).body
    texts: dict[str, str] = {}
    for field, below in itertools.pairwise(body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str() as text)):
                texts[name] = _one_line(text)
    return texts


def _one_line(text: str) -> str:
    return " ".join(text.split())
