"""A message that is brought again finds what was answered (CLB-9)."""

from datetime import timedelta

import pytest

from models.inbound_sms import InboundSms
from tests.world import NOW, later


@pytest.mark.rule("CLB-9")
def test_what_was_answered_is_answered_again_and_nothing_is_done_anew():
    done = []

    def answer():
        done.append("once")
        return f"answer {len(done)}"

    assert [InboundSms.once("m-1", later(minutes), answer) for minutes in (0, 1, 2)] == ["answer 1"] * 3
    assert InboundSms.once("m-2", NOW, answer) == "answer 2"
    assert InboundSms.select().count() == 2


@pytest.mark.rule("CLB-9", "CLB-16")
def test_a_message_whose_answer_fails_was_never_there():
    def fail():
        raise RuntimeError("half-way")

    with pytest.raises(RuntimeError):
        InboundSms.once("m-1", NOW, fail)
    assert InboundSms.select().count() == 0
    assert InboundSms.once("m-1", NOW, lambda: "now") == "now"


@pytest.mark.rule("PRV-3")
def test_answers_are_kept_for_ninety_days():
    InboundSms.once("m-1", NOW, lambda: "po")
    assert InboundSms.forget_old(NOW + timedelta(days=90)) == 0
    assert InboundSms.forget_old(NOW + timedelta(days=91)) == 1
