"""Which devices stand side by side, and what tells them apart."""

import pytest

from models.compare import MOST, TooMany, differs, with_one, without


def test_twice_is_once_and_a_fifth_is_refused_with_what_is_there():
    chosen = []
    for one in (1, 2, 2, 3, 4):
        chosen = with_one(chosen, one)
    assert chosen == [1, 2, 3, 4]
    assert with_one(chosen, 3) == chosen
    with pytest.raises(TooMany) as refused:
        with_one(chosen, 5)
    assert refused.value.chosen == chosen
    assert with_one(without(chosen, 2), 5) == [1, 3, 4, 5]
    assert len(chosen) == MOST


def test_what_is_known_of_one_alone_tells_it_apart():
    assert differs(["5G", "4G"])
    assert differs(["IP68", ""])
    assert not differs(["24 muaj", "24 muaj"])
    assert not differs(["24 muaj"])
