"""What a request must be before it is routed: its target, its authority, its wish to upgrade."""

from fastproxy.http1 cimport Head
from fastproxy.slices cimport Slice

cdef enum UpgradeWish:
    UPGRADE_NONE
    UPGRADE_WEBSOCKET
    UPGRADE_REFUSED  # to something that no route of ours allows

cdef enum Target:
    TARGET_OK
    TARGET_BAD  # 400
    TARGET_FRAGMENT  # 400, in Envoy's words without any
    TARGET_UNROUTABLE  # 404: no path, as in CONNECT and `OPTIONS *`


cdef Target read_target(Head *head, bint allow_absolute_url, Slice *path, Slice *authority) noexcept nogil
cdef bint is_authority(Slice authority) noexcept nogil
cdef UpgradeWish read_upgrade(const Head *head) noexcept nogil
cdef bint connection_names_trusted(const Head *head) noexcept nogil
cdef bytes websocket_accept(const Head *head)
cdef bint is_websocket_answer(const Head *head, bytes accept)
