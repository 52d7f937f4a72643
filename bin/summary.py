"""What bin/test ends with: a line per part, and the sum of all tests.

Arguments: the folder with the reports (JUnit XML), then "exit code|name|duration" per part. Exits 1 when a
part failed. A part that failed without a failed test of its own (a linter, a crash) counts as one failure.
"""

import sys
from pathlib import Path
from xml.etree import ElementTree as ET

REPORTS = {
    "tests on PostgreSQL": "postgres",
    "tests on SQLite: the rest": "sqlite-rest",
    "tests on SQLite: models": "sqlite-models",
    "tests on SQLite: pages": "sqlite-pages",
    "tests on SQLite: gateways": "sqlite-gateways",
    "tests in the browser": "e2e",
}


def counts(report: Path) -> tuple[int, int, int]:
    """The passed, failed and skipped tests of one report; zeros where there is none."""
    try:
        root = ET.parse(report).getroot()  # noqa: S314, written by our own pytest
    except (OSError, ET.ParseError):
        return 0, 0, 0
    total = failed = skipped = 0
    for suite in root.iter("testsuite"):
        total += int(suite.get("tests", 0))
        failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped += int(suite.get("skipped", 0))
    return max(0, total - failed - skipped), failed, skipped


def main(folder: str, *parts: str) -> int:
    passed = failed = skipped = 0
    broken = False
    for part in parts:
        code, name, duration = part.split("|")
        good, bad, left = counts(Path(folder, f"{REPORTS.get(name, name)}.xml"))
        if code != "0":
            broken = True
            bad = bad or 1
        tests = f"  {good} passed, {bad} failed, {left} skipped" if name in REPORTS else ""
        sys.stdout.write(f"{'ok    ' if code == '0' else 'FAILED'}  {name}, {duration}{tests}\n")
        passed, failed, skipped = passed + good, failed + bad, skipped + left
    sys.stdout.write(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "") + "\n")
    return 1 if broken or failed else 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
