"""docs/settings.md names every setting that config.py reads, and no other."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_every_setting_is_documented_and_nothing_else():
    read = set(re.findall(r'_(?:text|number|list)\(\s*"([A-Z_]+)"', (ROOT / "config.py").read_text()))
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "settings.md").read_text(), re.M))

    assert documented == read
