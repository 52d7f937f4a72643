"""Parts of pages that are drawn once and filled for each page."""

import pytest

from views.shell import NotKept, blank, header, mould, part


def test_a_mould_is_its_template_with_blanks_to_fill(app):
    with app.test_request_context("/"):
        shape = mould(
            "browse/_value.html",
            parameter="marka",
            value=blank("value"),
            label=blank("label"),
            hex="",
            state="",
            count=blank("count"),
        )
    filled = shape % {"value": "100%", "label": "50 % &amp; %(value)s", "count": 7}
    assert 'value="100%" id="f-marka-100%"' in filled
    assert "50 % &amp; %(value)s <small" in filled
    assert ">7</small>" in filled
    with pytest.raises(KeyError):
        shape % {"value": ""}


@pytest.mark.parametrize("make", [lambda: header("/"), lambda: part("shared/_footer.html")])
def test_parts_for_everybody_are_not_drawn_outside_of_kept_pages(app, make):
    with app.test_request_context("/"), pytest.raises(NotKept):
        make()
