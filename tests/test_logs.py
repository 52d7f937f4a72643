"""What the log keeps to itself (PRV-1)."""

import io
import json

import pytest
import structlog
from peewee import IntegrityError

import logs
from models.base import db
from models.outbox import Mail
from models.profile import Profile

# A traceback repeats lines of code: the value must not stand in one.
EMAIL = "@".join(("ana", "example.com"))


@pytest.fixture
def told(app):
    """A log that writes into a text, as the shop's does to its error output."""
    text = io.StringIO()
    processors = structlog.get_config()["processors"]
    assert logs.without_values in processors
    log = structlog.wrap_logger(structlog.PrintLogger(text), processors=processors)
    return log, text


def test_a_traceback_does_not_quote_what_was_looked_for(told):
    log, text = told
    try:
        Profile.get(Profile.email == EMAIL)
    except Profile.DoesNotExist:
        log.exception("request.failed")
    said = json.loads(text.getvalue())["exception"]
    assert "ProfileDoesNotExist" in said
    assert "test_logs.py" in said
    assert EMAIL not in said


def test_a_traceback_does_not_quote_the_row_that_the_database_refused(told):
    log, text = told
    moment = Mail.written_at.python_value("2026-03-10T11:00:00+00:00")
    try:
        with db.atomic():
            Mail.create(
                kind="order_confirmed",
                key="k",
                recipient=EMAIL,
                language="sq",
                state="no-state",
                message_id="<1@shop.test>",
                written_at=moment,
            )
    except IntegrityError:
        log.exception("request.failed")
    said = json.loads(text.getvalue())["exception"]
    assert "IntegrityError" in said
    assert EMAIL not in said
