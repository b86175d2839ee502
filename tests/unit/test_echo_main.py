"""The arguments of `python -m echo`."""

import argparse

import pytest

from echo import __main__ as echo_main


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8002", ("127.0.0.1", 8002)),
        ("localhost:8002", ("localhost", 8002)),
        ("[::1]:8002", ("::1", 8002)),
        (":8002", ("127.0.0.1", 8002)),
        ("8002", ("127.0.0.1", 8002)),
    ],
)
def test_addresses(text, address):
    assert echo_main.parse_address(text) == address


@pytest.mark.parametrize(
    "text", ["", "localhost", "localhost:", "localhost:0", "localhost:65536", "localhost:-1", ":x"]
)
def test_not_an_address(text):
    with pytest.raises(argparse.ArgumentTypeError, match="is not a port"):
        echo_main.parse_address(text)


@pytest.mark.parametrize(
    ("text", "ports"), [("8002-8004", [8002, 8003, 8004]), ("8002", [8002]), ("8002,9000-9001", [8002, 9000, 9001])]
)
def test_clusters(text, ports):
    assert echo_main.parse_ports(text) == [("127.0.0.1", port) for port in ports]


@pytest.mark.parametrize(("text", "why"), [("8004-8002", "is empty"), ("8002,8002", "twice"), ("a", "is not a port")])
def test_not_a_cluster(text, why):
    with pytest.raises(argparse.ArgumentTypeError, match=why):
        echo_main.parse_ports(text)


@pytest.mark.parametrize("flag", ["--addr", "-addr"])
@pytest.mark.parametrize("form", ["{} 127.0.0.2:8009", "{}=127.0.0.2:8009"])
def test_both_spellings_of_addr(flag, form):
    options = echo_main.parse_arguments(form.format(flag).split())
    assert options.addresses == [("127.0.0.2", 8009)]
    assert not options.cluster


def test_the_default_is_the_first_node_of_the_example():
    assert echo_main.parse_arguments([]).addresses == [("127.0.0.1", 8002)]


def test_one_or_the_other(capsys):
    with pytest.raises(SystemExit) as ended:
        echo_main.parse_arguments(["--addr", ":8002", "--cluster", "8002-8004"])
    assert ended.value.code == 2
    assert "not allowed with" in capsys.readouterr().err


def test_a_mistake_names_the_argument(capsys):
    with pytest.raises(SystemExit) as ended:
        echo_main.parse_arguments(["--cluster", "8004-8002"])
    assert ended.value.code == 2
    assert "--cluster: '8004-8002' is empty" in capsys.readouterr().err
