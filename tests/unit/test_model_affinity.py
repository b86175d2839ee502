"""The presets as data: what each says of itself must fit together."""

import pytest

from fastproxy.model_affinity import ENGINE_IO, MCP, SOCKJS, IdPlace, IdSource, cookie, header, json_field, query

OTHERS = [SOCKJS, cookie("JSESSIONID"), header("X-Session"), query("token"), json_field("connectionId")]
PRESETS = [ENGINE_IO, MCP, *OTHERS]


@pytest.mark.parametrize("protocol", [ENGINE_IO, MCP])
def test_what_the_proxy_says_of_a_lost_session_is_what_a_node_would_say(protocol):
    assert any(said.status == protocol.lost.status and said.text in protocol.lost.body for said in protocol.lost.said)


def test_presets_have_names_of_their_own():
    assert len({protocol.name for protocol in PRESETS}) == len(PRESETS)
    assert cookie("a").name != cookie("b").name != query("b").name


def test_names_of_headers_are_lower_case():
    places = [place for protocol in PRESETS for place in (*protocol.issued, *protocol.returned)]
    headers = [place.name for place in places if place.source is IdSource.HEADER]
    assert headers == [name.lower() for name in headers] != []


def test_a_json_member_comes_back_in_the_query_or_a_header():
    assert json_field("Token").returned == (IdPlace(IdSource.QUERY, "Token"), IdPlace(IdSource.HEADER, "token"))


def test_a_protocol_in_a_line():
    assert str(ENGINE_IO) == "engine.io (open-packet > query:sid, 45 s)"
    assert str(json_field("Token")) == "json:Token (json:Token > query:Token header:token, 3600 s)"
