"""`flask catalog`: what the operator sees on the terminal, and the exit code."""

import csv
import re

import pytest

from benchmarks import synthetic
from models.catalogue import Device, Tariff, Variant

pytestmark = pytest.mark.rule("CAT-7")


@pytest.fixture
def run(app):
    return lambda *arguments: app.test_cli_runner().invoke(args=["catalog", *map(str, arguments)])


@pytest.fixture
def listed(tmp_path):
    """A price list of 20 invented devices."""
    path = tmp_path / "list.csv"
    synthetic.write(20, path)
    return path


def spoil(path, line, old, new):
    lines = path.read_text().split("\n")
    assert old in lines[line - 1]
    lines[line - 1] = lines[line - 1].replace(old, new)
    path.write_text("\n".join(lines))


def test_an_import_ends_with_a_summary(run, listed):
    rows = len(listed.read_text().splitlines()) - 1
    result = run("import", listed)
    assert result.exit_code == 0
    assert result.stdout.endswith(f"20 devices added, 0 changed, 0 unchanged, {rows} variants written.\n")
    again = run("import", listed)
    assert again.stdout.endswith("0 devices added, 0 changed, 20 unchanged, 0 variants written.\n")


def test_bad_lines_are_told_with_file_line_column_and_reason_and_nothing_is_changed(run, listed):
    spoil(listed, 2, "SYN-0-", "SYN 0 ")
    result = run("import", listed)
    assert result.exit_code == 1
    assert f"{listed}:2: sku: must look like SAM-S25-BLU-128, not “SYN 0 " in result.stderr
    assert result.stderr.endswith("Error: Nothing was changed.\n")
    assert Device.select().count() == 0


def test_skipping_takes_the_good_devices_and_still_tells_the_bad_lines(run, listed):
    spoil(listed, 2, "SYN-0-", "SYN 0 ")
    result = run("import", listed, "--skip-bad", "--complete")
    assert result.exit_code == 0
    assert f"{listed}:2: sku:" in result.stderr
    assert "no device was taken off the shelf" in result.stderr
    assert re.search(r"^19 devices added.* 1 devices skipped \(\d+ lines\)\.$", result.stdout, re.M)
    assert Device.select().count() == 19


def test_a_complete_list_tells_what_left_the_shelf(run, listed, tmp_path):
    run("import", listed)
    shorter = tmp_path / "shorter.csv"
    synthetic.write(15, shorter)
    assert "5 taken off the shelf" in run("import", shorter, "--complete").stdout
    assert Device.select().where(Device.listed).count() == 15


def test_only_the_first_two_hundred_bad_lines_are_printed(run, tmp_path):
    path = tmp_path / "list.csv"
    synthetic.write(300, path)
    rows = list(csv.DictReader(path.open()))
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(row | {"price": "0"} for row in rows)
    result = run("import", path)
    assert len(re.findall(r":\d+: price: must be from 1", result.stderr)) == 200
    assert f"and {len(rows) - 200} more\n" in result.stderr


def test_a_list_and_its_tariffs_are_taken_together(run, tmp_path):
    path, tariffs = tmp_path / "list.csv", tmp_path / "tariffs.csv"
    synthetic.write(5, path, ["gold"])
    tariffs.write_text("code,name,monthly_price\ngold,Gold,999\n")
    assert "there is no tariff “gold”; load the tariffs first" in run("import", path).stderr
    assert run("import", path, "--tariffs", tariffs).stdout.endswith("1 tariffs new or changed.\n")


def test_tariffs_alone(run, tmp_path):
    tariffs = tmp_path / "tariffs.csv"
    tariffs.write_text("code,name,monthly_price\ngold,Gold,999\n")
    assert run("tariffs", tariffs).stdout == "1 tariffs new or changed.\n"
    assert run("tariffs", tariffs).stdout == "The tariffs are up to date.\n"
    tariffs.write_text("code,name,monthly_price\ngold,Gold,cheap\n")
    result = run("tariffs", tariffs)
    assert result.exit_code == 1
    assert f"{tariffs}:2: monthly_price: must be a whole number" in result.stderr
    assert Tariff.get().monthly_price == 99900


@pytest.mark.parametrize("command", ["import", "tariffs"])
def test_a_file_that_cannot_be_read_is_said_without_a_traceback(run, tmp_path, command):
    for path, why in ((tmp_path / "gone.csv", "There is no file"), (tmp_path, "is a folder")):
        result = run(command, path)
        assert result.exit_code == 1
        assert why in result.stderr
        assert "Traceback" not in result.output


def test_synthetic_lists_are_the_same_each_time_and_can_be_imported(run, tmp_path):
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    Tariff.create(code="gold", name="Gold", monthly_price=99900)
    assert run("synthetic", 40, one).exit_code == run("synthetic", 40, two).exit_code == 0
    assert one.read_bytes() == two.read_bytes()
    assert "besnik24:gold" in one.read_text().splitlines()[0]
    assert run("import", one).exit_code == 0
    assert Device.select().count() == 40
    assert Variant.select().count() == len(one.read_text().splitlines()) - 1
    refused = run("synthetic", 40, tmp_path / "no" / "folder.csv")
    assert (refused.exit_code, "cannot be written" in refused.stderr) == (1, True)
