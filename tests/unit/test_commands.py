"""The commands besides serving."""

from importlib import import_module

import pytest

from fastproxy import commands


@pytest.mark.parametrize("name", commands.COMMANDS)
def test_each_is_a_module(name):
    assert commands.find([name, "x"]) is import_module(f"fastproxy.commands.{name}").run


@pytest.mark.parametrize("arguments", [[], ["-c", "check"], ["__init__"]])
def test_anything_else_is_none(arguments):
    assert commands.find(arguments) is None


def test_the_overview_names_them_all():
    assert all(f"fastproxy {name} ..." in commands.overview() for name in commands.COMMANDS)
