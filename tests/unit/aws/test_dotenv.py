"""The developer's `.env` file."""

import os
from pathlib import Path

import pytest

from dayfly.aws.dotenv import DotenvFile, parse_dotenv
from dayfly.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("# A=1\n\n   \n  # x", {}),
        ("A=1", {"A": "1"}),
        ("A=1\nB=2\n", {"A": "1", "B": "2"}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("export A=1", {"A": "1"}),
        ("  A  =  1  ", {"A": "1"}),
        ("A=", {"A": ""}),
        ("A=\nB=2", {"A": "", "B": "2"}),
        ("A=''", {"A": ""}),
        ("A=a b # c", {"A": "a b"}),
        ("A=a#b", {"A": "a#b"}),
        ("A=#c", {"A": ""}),
        ("A='a # b' # c", {"A": "a # b"}),
        ('A="a\\nb\\t\\"c\\" \\\\ \\$d \\x"', {"A": 'a\nb\t"c" \\ $d \\x'}),
        ("A='a\\nb'", {"A": "a\\nb"}),
        ('A="one\ntwo"\nB=2', {"A": "one\ntwo", "B": "2"}),
        ("A=x=y==", {"A": "x=y=="}),
        ("A=don't", {"A": "don't"}),
        ("a.b-c=1", {"a.b-c": "1"}),
        ("A=1\nA=2", {"A": "2"}),
        ("A=päß 世界", {"A": "päß 世界"}),
        ("A=$B", {"A": "$B"}),
    ],
)
def test_what_a_file_says(text: str, values: dict[str, str]) -> None:
    """Names, values, quotes and comments are read as the usual tools do; nothing is put in the place of `$B`."""
    assert parse_dotenv(text) == values


@pytest.mark.parametrize("line", ["A", "9A=1", "=1", "A='1", 'A="1', "A='1'2", "A B=1", "sk_live_secret"])
def test_a_wrong_line_is_named_by_its_number_alone(line: str) -> None:
    """The error says which line, and nothing of what stands in it: that may be a secret."""
    with pytest.raises(ConfigurationError, match=r"^\.env, line 3: not NAME=value$"):
        parse_dotenv(f"# one\nB=2\n{line}\n")


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    """A value that was changed is seen with the next look, as is a file that comes or goes."""
    path = tmp_path / ".env"
    file = DotenvFile(path)
    assert file.get("A") is None
    path.write_bytes(b"\xef\xbb\xbfA=1\n")
    assert file.get("A") == "1"
    path.write_text("A=2\n")
    os.utime(path, ns=(1, 1))
    assert file.get("A") == "2"
    path.unlink()
    assert file.get("A") is None


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A folder, or bytes that are no UTF-8, are told by the file's name."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "bytes").write_bytes(b"A=\xff")
    for name in ("folder", "bytes"):
        with pytest.raises(ConfigurationError, match=f"^{name} cannot be read"):
            DotenvFile(tmp_path / name).values()
