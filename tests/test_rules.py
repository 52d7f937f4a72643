"""docs/rules.md says which rules are done; each of them has a test that names it."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROW = re.compile(r"^\| ([A-Z]{3}-\d+) \| (.+?) \|(.*?)\| (done|later) \|$", re.M)
SECTIONS = {
    "CAT": 7, "OFF": 6, "CRT": 5, "CHK": 7, "PAY": 9, "ELG": 6, "PRO": 7, "ORD": 5, "DLV": 5,
    "AFT": 5, "CLB": 17, "PRV": 6, "DSK": 5, "MSG": 3, "LOC": 3,
}  # fmt: skip


def rules():
    return ROW.findall((ROOT / "docs" / "rules.md").read_text(encoding="utf-8"))


def named_by_tests():
    marked = set()
    for folder in ("tests", "e2e"):
        for path in (ROOT / folder).rglob("*.py"):
            for arguments in re.findall(r"mark\.rule\(([^)]*)\)", path.read_text(encoding="utf-8")):
                marked.update(re.findall(r"[A-Z]{3}-\d+", arguments))
    return marked


def test_every_rule_is_listed_once():
    listed = [rule for rule, *_ in rules()]

    assert listed == [f"{section}-{number}" for section, most in SECTIONS.items() for number in range(1, most + 1)]


def test_every_rule_that_is_done_is_named_by_a_test():
    done = {rule for rule, _, _, state in rules() if state == "done"}

    assert done - named_by_tests() == set()


def test_no_test_names_a_rule_that_does_not_exist():
    assert named_by_tests() - {rule for rule, *_ in rules()} == set()


def test_every_place_that_the_list_names_exists():
    missing = []
    for rule, _, where, _ in rules():
        for path in re.findall(r"`([a-z_/]+(?:\.[a-z]+)?/?)`", where):
            if ("/" in path or path.endswith(".py")) and not (ROOT / path).exists():
                missing.append(f"{rule}: {path}")

    assert missing == []
