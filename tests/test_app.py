"""What the application does to every answer."""

import pytest


@pytest.fixture
def world():
    from tests import world as named

    return named.build()


def test_pictures_do_not_vary_by_who_asks(client, world):
    page = client.get("/celulare").text
    picture = page.split('src="/pictures/', 1)[1].split('"', 1)[0]

    answer = client.get(f"/pictures/{picture}")

    assert answer.status_code == 200
    assert "Cookie" not in answer.headers.get("Vary", "")
    assert "Set-Cookie" not in answer.headers


def test_pages_vary_by_who_asks(client, world):
    assert "Cookie" in client.get("/celulare").headers["Vary"]


def test_what_a_view_says_of_its_own_answer_stands(client):
    assert client.get("/health").headers.get_all("Cache-Control") == ["no-store"]
    assert client.get("/help-that-is-not-there").headers["Content-Security-Policy"].startswith("default-src 'self'")
