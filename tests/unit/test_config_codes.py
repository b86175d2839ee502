"""Codes of problems, and where they are explained."""

from fastproxy.config import codes


def test_pages():
    assert codes.page(codes.SYNTAX) == "docs/lint/index.md#fp002"
    assert codes.page("FP101") == "docs/lint/fp101.md"


def test_each_code_has_a_title():
    named = {value for name, value in vars(codes).items() if name.isupper() and isinstance(value, str)}
    assert named == set(codes.TITLES)
