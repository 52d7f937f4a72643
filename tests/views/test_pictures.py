"""Drawings and photos of the catalogue (CAT-4)."""

import gzip

import brotli
import pytest
from defusedxml import ElementTree

import config
from models.drawing import ANGLES, CAMERAS, EDITION, KINDS, drawing_path
from tests.query_count import assert_query_count

NAMES = [
    drawing_path({"kind": kind, "camera": camera}, "#a4bddc", screen, angle)
    for kind in KINDS
    for camera in CAMERAS.get(kind, ("none",))
    for angle in ANGLES.get(kind, ("pair",))
    for screen in ("", "#e9f1fc #86a8dc #223a6b")
]
ONE = f"/pictures/{EDITION}/phone-tri-dot-pair-a4bddc.svg"


@pytest.mark.rule("CAT-4")
@pytest.mark.parametrize("path", NAMES)
def test_every_drawing_of_the_catalogue_is_a_small_square_svg(client, path):
    response = client.get(path)
    assert response.status_code == 200
    assert response.mimetype == "image/svg+xml"
    root = ElementTree.fromstring(response.data)
    assert root.get("viewBox") == "0 0 400 400"
    assert len(response.data) < 3500
    assert b"script" not in response.data


def test_a_drawing_is_kept_for_good_and_needs_no_query(client):
    with assert_query_count(0):
        response = client.get(ONE)
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize(("encoding", "read"), [("br", brotli.decompress), ("gzip", gzip.decompress)])
def test_a_drawing_is_sent_compressed_to_who_reads_it(client, encoding, read):
    plain = client.get(ONE).data
    response = client.get(ONE, headers={"Accept-Encoding": encoding})
    assert response.headers["Content-Encoding"] == encoding
    assert "Accept-Encoding" in response.headers["Vary"]
    assert read(response.data) == plain
    assert len(response.data) < len(plain) / 2


def test_two_colours_are_two_drawings(client):
    assert client.get(ONE).data != client.get(ONE.replace("a4bddc", "1f2023")).data


@pytest.mark.parametrize(
    "path",
    [
        "/pictures/0/phone-tri-dot-pair-a4bddc.svg",
        "/pictures/1/phone-tri-dot-pair-a4bddc.png",
        "/pictures/1/phone-tri-dot-pair-A4BDDC.svg",
        "/pictures/1/phone-tri-dot-pair-a4bdd.svg",
        "/pictures/1/phone-tri-dot-pair-a4bddc-ffffff.svg",
        "/pictures/1/phone-tri-dot-up-a4bddc.svg",
        "/pictures/1/phone-nine-dot-pair-a4bddc.svg",
        "/pictures/1/phone-tri-square-pair-a4bddc.svg",
        "/pictures/1/boat-none-dot-pair-a4bddc.svg",
        "/pictures/1/tablet-one-dot-side-a4bddc.svg",
        "/pictures/1/..%2f..%2fconfig.svg",
        "/pictures/1/%3Cscript%3E.svg",
        "/pictures/1/" + "a" * 4000 + ".svg",
    ],
)
def test_a_name_that_says_no_drawing_is_a_404(client, path):
    assert client.get(path).status_code == 404


@pytest.fixture
def photos(tmp_path, monkeypatch):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "s25.webp").write_bytes(b"RIFF....WEBP")
    (folder / "notes.txt").write_text("private")
    (tmp_path / "secret.webp").write_bytes(b"outside")
    monkeypatch.setattr(config, "PHOTOS", folder)
    return folder


def test_a_photo_of_the_operator_is_served_and_kept(client, photos):
    response = client.get("/photos/s25.webp")
    assert response.status_code == 200
    assert response.data == b"RIFF....WEBP"
    assert response.headers["Cache-Control"] == "public, max-age=2592000"
    assert client.get("/photos/s25.webp", headers={"If-None-Match": response.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize(
    "name",
    [
        "nuk-ka.webp",
        "notes.txt",
        "../secret.webp",
        "..%2fsecret.webp",
        "%2e%2e/secret.webp",
        "..",
    ],
)
def test_nothing_but_photos_in_their_folder_is_served(client, photos, name):
    assert client.get(f"/photos/{name}").status_code == 404
