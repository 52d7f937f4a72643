"""docs/settings.md names every setting that config.py reads, and no other."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def test_every_setting_is_documented_and_nothing_else():
    read = set(re.findall(r'_(?:text|number|list|networks)\(\s*"([A-Z_]+)"', (ROOT / "config.py").read_text()))
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "settings.md").read_text(), re.M))

    assert documented == read


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DYQANI_LANGUAGES", "sq,de"),
        ("DYQANI_ENV", "live"),
        ("DYQANI_CART_DAYS", "a month"),
        ("SMS_ADDRESSES", "127.0.0.1,here"),
        ("SMS_SENDER", "Dyqani i Shkupit"),
        ("SMS_URL", "127.0.0.1:13013"),
        ("SMS_REPORT_URL", "no"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name(name, value):
    tried = subprocess.run(
        [sys.executable, "-c", "import config"],
        cwd=ROOT,
        env={**os.environ, name: value},
        capture_output=True,
        text=True,
    )
    assert tried.returncode == 1
    assert tried.stderr.startswith(name)
    assert value.rpartition(",")[2] in tried.stderr
