"""Write docs/protocol.md, docs/asyncapi.json and the actions' sample events anew.

python -m scripts.protocol_docs [directory]
"""

import sys
from pathlib import Path

from scripts.protocol_docs.documents import documents

ROOT = Path(__file__).parents[2]


def main(directory: str | None = None) -> int:
    """Writes the files below `directory` (default: the repository) and names them."""
    target = Path(directory) if directory is not None else ROOT
    for name, text in documents().items():
        (target / name).parent.mkdir(exist_ok=True)
        (target / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"{target / name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
