"""Listeners and admin in the model."""

import pytest

from fastproxy.config.build import build
from fastproxy.model import Address, Admin, Configuration
from tests.unit.config_files import (
    EXTENSIONS,
    V3_MANAGER_PATH,
    errors,
    v3_file,
    v3_listener,
    v3_manager,
    view,
    warnings,
)

LISTENER = "static_resources.listeners[0]"


def built(change):
    document = v3_file()
    change(document)
    bootstrap, report = view(document)
    assert errors(report) == []
    return build(bootstrap, report), report


def test_defaults():
    configuration, report = built(lambda d: None)
    listener = configuration.listeners[0]
    assert errors(report) == warnings(report) == []
    assert (listener.name, listener.address, listener.bind_to_port) == ("front", Address("127.0.0.1", 9002), True)
    assert listener.tcp_backlog_size == 4096
    assert listener.manager.stat_prefix == "front"
    assert listener.manager.idle_timeout_s == 3600
    assert listener.manager.stream_idle_timeout_s == 300
    assert listener.manager.allow_absolute_url
    assert not listener.manager.accept_http_10
    assert configuration.admin == Admin(Address("127.0.0.1", 9902))


def test_a_listener_without_a_name_is_called_by_its_address():
    configuration, _ = built(lambda d: v3_listener(d).pop("name"))
    assert configuration.listeners[0].name == "127.0.0.1:9002"


def test_listener_fields():
    fields = {"bind_to_port": False, "tcp_backlog_size": 9}
    listener = built(lambda d: v3_listener(d).update(fields))[0].listeners[0]
    assert (listener.bind_to_port, listener.tcp_backlog_size) == (False, 9)


def file_log(path, **fields):
    typed = {"@type": f"{EXTENSIONS}access_loggers.file.v3.FileAccessLog", "path": path, **fields}
    return {"name": "f", "typed_config": typed}


def test_admin_is_optional_and_logs_to_a_file():
    assert built(lambda d: d.pop("admin"))[0].admin is None
    assert built(lambda d: d.update(admin={}))[0].admin is None
    configuration, report = built(lambda d: d["admin"].update(access_log=[file_log("a.log")]))
    assert configuration.admin == Admin(Address("127.0.0.1", 9902), "a.log")
    assert warnings(report) == []


def test_admin_has_one_log_in_the_default_format_and_the_rest_is_warned_of():
    logs = [file_log("a.log", format="%PROTOCOL%\n"), file_log("b.log")]
    configuration, report = built(lambda d: d["admin"].update(access_log=logs, access_log_path="c.log"))
    assert configuration.admin == Admin(Address("127.0.0.1", 9902), "a.log")
    assert sorted(warnings(report)) == [
        ("admin.access_log[0]", "the format has no effect here: the access log of admin has the default one"),
        ("admin.access_log[1]", "has no effect here: admin has one access log, the first"),
        ("admin.access_log_path", "has no effect here: access_log counts"),
    ]


def test_no_listeners():
    configuration, report = built(lambda d: d["static_resources"].pop("listeners"))
    assert configuration.listeners == ()
    assert warnings(report) == [("", "there are no listeners: nobody can connect")]


def second_listener(document, **fields):
    other = v3_file()["static_resources"]["listeners"][0] | fields
    document["static_resources"]["listeners"].append(other)


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        (
            lambda d: second_listener(d, address={"socket_address": {"address": "127.0.0.1", "port_value": 1}}),
            "static_resources.listeners[1].name",
            'there is already a listener "front"; rename one',
        ),
        (
            lambda d: second_listener(d, name="other"),
            "static_resources.listeners[1].address",
            "127.0.0.1:9002 is taken by static_resources.listeners[0]; choose another port",
        ),
        (
            lambda d: v3_listener(d)["address"]["socket_address"].update(address="localhost"),
            f"{LISTENER}.address.socket_address.address",
            '"localhost" is no IP address; listen on one, such as 127.0.0.1',
        ),
        (
            lambda d: v3_listener(d).pop("address"),
            LISTENER,
            "an address to listen on is missing; add address.socket_address",
        ),
        (
            lambda d: v3_listener(d).pop("filter_chains"),
            f"{LISTENER}.filter_chains",
            "a listener needs a filter chain",
        ),
        (
            lambda d: v3_manager(d).update(codec_type="HTTP2"),
            f"{V3_MANAGER_PATH}.codec_type",
            "only HTTP/1 is spoken to clients yet; use AUTO or HTTP1",
        ),
    ],
)
def test_mistakes(change, path, message):
    _, report = built(change)
    assert errors(report) == [(path, message)]


def test_an_ephemeral_port_may_be_asked_for_twice():
    def change(document):
        v3_listener(document)["address"]["socket_address"]["port_value"] = 0
        second_listener(document, name="other", address=v3_listener(document)["address"])

    configuration, report = built(change)
    assert errors(report) == []
    assert [listener.address.port for listener in configuration.listeners] == [0, 0]


def test_the_whole_is_a_configuration():
    assert isinstance(built(lambda d: None)[0], Configuration)
