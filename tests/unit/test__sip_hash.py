"""The keyed hash by which the session table knows ids."""

import pytest

from fastproxy._sessions import sip_hash
from tests.unit.session_tables import KEY

# Keyed hashes of 00 01 02 .. under the key 00 .. 0f, as OpenSSL's SIPHASH gives them; the first four are also
# in the vectors of the reference implementation.
SIP_HASHES = [
    (0, "a3817f04ba25a8e66df67214c7550293"),
    (1, "da87c1d86b99af44347659119b22fc45"),
    (2, "8177228da4a45dc7fca38bdef60affe4"),
    (3, "9c70b60c5267a94e5f33b6b02985ed51"),
    (7, "a1f1ebbed8dbc153c0b84aa61ff08239"),
    (8, "3b62a9ba6258f5610f83e264f31497b4"),
    (9, "264499060ad9baabc47f8b02bb6d71ed"),
    (15, "5493e99933b0a8117e08ec0f97cfc3d9"),
    (16, "6ee2a4ca67b054bbfd3315bf85230577"),
    (20, "9e25fc833f2290733e9344a5e83839eb"),
    (63, "5150d1772f50834a503e069a973fbd7c"),
]


@pytest.mark.parametrize(("length", "digest"), SIP_HASHES)
def test_sip_hash(length: int, digest: str) -> None:
    assert sip_hash(KEY, bytes(range(length))).hex() == digest
