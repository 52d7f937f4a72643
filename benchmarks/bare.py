"""What the shop is compared with: Flask and a constant page of as many bytes as its address says, nothing else."""

from functools import lru_cache

from flask import Flask


@lru_cache(maxsize=64)
def _page(size: int) -> bytes:
    return (b"<!doctype html><title>Bare</title>" + b"<p>A constant page.</p>\n" * (size // 24 + 1))[:size]


def create_app() -> Flask:
    app = Flask("bare", static_folder=None)

    @app.route("/<int:size>", methods=["GET", "POST"])
    def page(size: int):
        return _page(size)

    return app
