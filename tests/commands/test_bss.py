"""`flask bss`: what the operator sees on the terminal, and the exit code."""

import json
import re
import stat
from pathlib import Path

import pytest

from models.base import utcnow
from models.bss_columns import OPTIONAL
from models.bss_event import BssEvent
from models.bss_import import FILES as FILES_OF_AN_EXTRACT
from models.number import Number
from models.subscriber import Holder
from tests.models.test_bss_import import FILES
from tests.world import NOW, build, later, ordered


@pytest.fixture
def run(app):
    return lambda *arguments: app.test_cli_runner().invoke(args=["bss", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def spoil(folder, name, old, new):
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new, 1))


def test_an_import_ends_with_a_line_for_each_file(run, folder):
    result = run("import", folder)
    assert result.exit_code == 0
    assert result.stdout.endswith(
        "subscribers.csv: 3 added, 0 changed, 0 unchanged.\n"
        "numbers.csv: 3 added, 0 changed, 0 unchanged.\n"
        "invoices.csv: 3 added, 0 changed, 0 unchanged.\n"
        "contracts.csv: 2 added, 0 changed, 0 unchanged.\n"
        "new_numbers.csv: 3 added, 0 changed, 0 unchanged.\n"
        "fixed_services.csv: 2 added, 0 changed, 0 unchanged.\n"
    )
    assert "contracts.csv: 0 added, 0 changed, 2 unchanged.\n" in run("import", folder).stdout


def test_bad_lines_are_told_with_file_line_column_and_reason_and_nothing_is_changed(run, folder):
    spoil(folder, "numbers.csv", "112233", "1122")
    result = run("import", folder)
    assert result.exit_code == 1
    assert f"{folder}/numbers.csv:2: sim_end: must be the last six digits of the SIM's number\n" in result.stderr
    assert result.stderr.endswith("Error: Nothing was changed.\n")
    assert not Holder.select().exists()


def test_skipping_takes_the_other_lines(run, folder):
    spoil(folder, "numbers.csv", "112233", "1122")
    result = run("import", folder, "--skip-bad")
    assert result.exit_code == 0
    assert f"{folder}/numbers.csv:2: sim_end:" in result.stderr
    assert "numbers.csv: 2 added, 0 changed, 0 unchanged, 1 skipped.\n" in result.stdout
    assert Number.select().count() == 2


def test_only_the_first_two_hundred_bad_lines_of_a_file_are_printed(run, tmp_path):
    (tmp_path / "new_numbers.csv").write_text("msisdn\n" + "x\n" * 250)
    result = run("import", tmp_path)
    assert result.stderr.count("new_numbers.csv:") == 200
    assert "and 50 more in new_numbers.csv\n" in result.stderr


def test_an_extract_may_tell_when_it_was_made(run, folder):
    assert run("import", folder, "--made-at", "2026-03-10T02:00").exit_code == 0
    assert run("import", folder, "--made-at", "2026-03-10T01:00Z").exit_code == 0
    result = run("import", folder, "--made-at", "yesterday")
    assert (result.exit_code, "must be a moment such as" in result.stderr) == (2, True)


def test_what_cannot_be_read_is_said_without_a_traceback(run, tmp_path):
    (tmp_path / "numbers.csv").mkdir()
    for path, why in ((tmp_path / "gone", "There is no folder"), (tmp_path, "is a folder, not a file")):
        result = run("import", path)
        assert (result.exit_code, why in result.stderr) == (1, True)
        assert "Traceback" not in result.output


def test_the_example_of_the_documentation_can_be_imported(run, tmp_path):
    text = (Path(__file__).resolve().parents[2] / "docs" / "bss.md").read_text(encoding="utf-8")
    example = text.partition("## An example")[2]
    for name, table in re.findall(r"^(\w+\.csv)\n\n```\n(.*?)```", example, re.M | re.S):
        (tmp_path / name).write_text(table)
    told = re.search(r"\$ flask bss import extract\n(.*?)```", example, re.S)[1]
    assert len(told.splitlines()) == 6
    assert run("import", tmp_path).stdout.endswith(told)


def test_the_documentation_names_every_column_and_no_other():
    text = (Path(__file__).resolve().parents[2] / "docs" / "bss.md").read_text(encoding="utf-8")
    for file in FILES_OF_AN_EXTRACT:
        rows = text.partition(f"### {file.name}:")[2].partition("##")[0]
        cells = re.findall(r"^\| (\*?`[^|]*) \|", rows, re.M)
        named = [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]
        optional = {name for cell in cells if cell.startswith("*") for name in re.findall(r"`(\w+)`", cell)}
        assert set(named) == set(file.columns)
        assert optional == OPTIONAL & set(named)


@pytest.fixture
def orders():
    """Two orders that lapsed and one that was cancelled: events 1, 2 and 3."""
    world = build()
    made = [ordered(world, "CASE-BLACK")[0] for _ in range(3)]
    for order in made[:2]:
        order.lapse(later(31))
    made[2].move("cancelled", by="shopper", now=later(32))
    return [order.number for order in made]


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def test_events_are_exported_as_json_lines_and_the_same_again_is_the_same(run, orders, tmp_path):
    path = tmp_path / "events.jsonl"
    result = run("export", path)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.endswith("The last event is number 3.\n")
    told = lines(path.read_text(encoding="utf-8"))
    assert [(event["sequence"], event["kind"], event["data"]["order"]) for event in told] == [
        (1, "order_lapsed", orders[0]),
        (2, "order_lapsed", orders[1]),
        (3, "order_cancelled", orders[2]),
    ]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["events.jsonl"]
    assert lines(run("export", "-").stdout) == told
    assert lines(run("export", "-", "--since", 2).stdout) == told[2:]


def test_an_export_of_nothing_new_says_where_it_is(run, orders):
    result = run("export", "-", "--since", 3)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.endswith("The last event is number 3.\n")


def test_a_file_that_cannot_be_written_is_said_without_a_traceback(run, orders, tmp_path):
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "gone" / "events.jsonl", tmp_path / "folder"):
        result = run("export", path)
        assert result.exit_code == 1
        assert f"{path} cannot be written" in result.stderr
        assert "Traceback" not in result.output


def test_refused_events_are_named_sent_again_or_skipped(run, orders):
    assert run("events").stdout == "3 due, 0 sent, 0 refused, 0 skipped.\n"
    BssEvent.number_all()
    BssEvent.update(state="refused", trouble="HTTP 422").where(BssEvent.sequence <= 2).execute()
    assert run("events", "--failed").stdout == (
        f"1  order_lapsed  {orders[0]}  HTTP 422\n2  order_lapsed  {orders[1]}  HTTP 422\n"
    )
    assert run("events", "--skip", 1).stdout == "1 events are skipped.\n"
    assert run("events", "--retry").stdout == "1 events are due again.\n"
    assert run("events", "--taken", 2).stdout == "1 events need not be sent any more.\n"
    assert run("events").stdout == "1 due, 1 sent, 0 refused, 1 skipped.\n"
    assert BssEvent.get(BssEvent.sequence == 3).due_at < utcnow()


@pytest.mark.parametrize("asked", [("--skip",), ("--taken",), ("--taken", 1, 2)])
def test_nothing_is_given_up_that_was_not_named(run, orders, asked):
    result = run("events", *asked)
    assert (result.exit_code, "needs the number of an event" in result.stderr) == (2, True)
    assert BssEvent.counts()["due"] == 3
    assert BssEvent.get().at > NOW
