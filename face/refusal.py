"""What is wrong with a brand's folder, with the file and the line where it stands."""

import re
from pathlib import Path


class BadFace(Exception):
    """A brand's folder that the shop does not start with."""

    def __init__(self, path: Path, line: int | None, why: str):
        self.path, self.line, self.why = path, line, why
        super().__init__(f"{path}{f', line {line}' if line else ''}: {why}.")


def line_of(text: str, keys: tuple[str, ...]) -> int | None:
    """The line of brand.toml that gives `keys`; of a missing one, the line of the table it would stand in."""
    table: tuple[str, ...] = ()
    best, depth = None, 0
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if found := re.fullmatch(r"\[([^\[\]]+)\]\s*(#.*)?", line):
            table = tuple(part.strip().strip("\"'") for part in found[1].split("."))
            here = table
        elif found := re.match(r"(\"[^\"]+\"|'[^']+'|[\w.-]+)\s*=", line):
            here = (*table, *_key(found[1]))
        else:
            continue
        if here == keys[: len(here)] and len(here) > depth:
            best, depth = number, len(here)
    return best


def _key(text: str) -> tuple[str, ...]:
    return (text[1:-1],) if text[0] in "\"'" else tuple(text.split("."))
