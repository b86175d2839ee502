"""A timer wheel in C: arming, moving and disarming a timer is a store, and never a system call per timer."""

from libc.stdint cimport uint64_t

cdef struct Timer:
    Timer *next
    Timer *previous  # NULL while the timer is in no slot
    uint64_t deadline_ms  # 0: disarmed
    uint64_t slot_ms  # when the wheel will look at it


cdef struct Wheel:
    Timer fine[256]  # heads of rings; one slot is FINE_MS wide
    Timer coarse[256]  # one slot is COARSE_MS wide
    Timer expired  # a ring of what is due and was not yet handed out
    uint64_t now_ms  # the time up to which the wheel has been turned
    uint64_t wake_ms  # when the wheel must be turned next, 0 for never


cdef void wheel_init(Wheel *wheel, uint64_t now_ms) noexcept nogil
cdef void timer_set(Wheel *wheel, Timer *timer, uint64_t deadline_ms) noexcept nogil
cdef void timer_remove(Timer *timer) noexcept nogil
cdef void wheel_turn(Wheel *wheel, uint64_t now_ms) noexcept nogil
cdef Timer *wheel_next_expired(Wheel *wheel) noexcept nogil
