"""The timer wheel: two rings of slots, 4 ms and 1.024 s wide, for any number of timers.

Most timers are moved later long before they expire (an idle timer on every request). So a timer is only
looked at when its slot comes up: moving it later stores the new deadline and leaves it where it is.
Granularity: a timer fires at its deadline or up to one fine slot (4 ms) after it, never before.
"""

from libc.stdlib cimport calloc, free

cdef uint64_t NEVER = 0xFFFFFFFFFFFFFFFF

cdef enum:
    SLOTS = 256
    FINE_SHIFT = 2  # a fine slot is 4 ms
    COARSE_SHIFT = 10  # a coarse slot is 1024 ms, as long as the whole fine ring


# hot

cdef void wheel_init(Wheel *wheel, uint64_t now_ms) noexcept nogil:
    cdef int i
    for i in range(SLOTS):
        ring_init(&wheel.fine[i])
        ring_init(&wheel.coarse[i])
    ring_init(&wheel.expired)
    wheel.now_ms = now_ms
    wheel.wake_ms = 0


cdef inline void ring_init(Timer *head) noexcept nogil:
    head.next = head
    head.previous = head


cdef inline bint ring_is_empty(Timer *head) noexcept nogil:
    return head.next == head


cdef inline void ring_add(Timer *head, Timer *timer) noexcept nogil:
    timer.next = head
    timer.previous = head.previous
    head.previous.next = timer
    head.previous = timer


cdef void timer_remove(Timer *timer) noexcept nogil:
    """Take the timer out of the wheel; its memory may be reused afterwards."""
    timer.deadline_ms = 0
    if timer.previous != NULL:
        timer.previous.next = timer.next
        timer.next.previous = timer.previous
        timer.previous = NULL
        timer.next = NULL


cdef void timer_set(Wheel *wheel, Timer *timer, uint64_t deadline_ms) noexcept nogil:
    """Arm the timer for `deadline_ms` of the monotonic clock, or disarm it with 0."""
    if deadline_ms == 0 or (timer.previous != NULL and deadline_ms >= timer.slot_ms):
        timer.deadline_ms = deadline_ms
        return
    timer_remove(timer)
    timer.deadline_ms = deadline_ms
    place(wheel, timer)


cdef inline uint64_t round_up(uint64_t time_ms, int shift) noexcept nogil:
    return ((time_ms + (1 << shift) - 1) >> shift) << shift


cdef void place(Wheel *wheel, Timer *timer) noexcept nogil:
    """Put the timer into the slot that comes up at its deadline, or as late before it as the rings reach."""
    cdef uint64_t due = timer.deadline_ms
    cdef uint64_t fine_end = ((wheel.now_ms >> FINE_SHIFT) + SLOTS - 1) << FINE_SHIFT
    cdef uint64_t coarse_end = ((wheel.now_ms >> COARSE_SHIFT) + SLOTS - 1) << COARSE_SHIFT
    if due <= wheel.now_ms:
        due = wheel.now_ms + 1
    if due < fine_end:
        timer.slot_ms = round_up(due, FINE_SHIFT)
        ring_add(&wheel.fine[(timer.slot_ms >> FINE_SHIFT) & (SLOTS - 1)], timer)
    else:
        # a coarse slot comes up at its beginning, so that what is in it can still be placed finely
        timer.slot_ms = (due if due < coarse_end else coarse_end) >> COARSE_SHIFT << COARSE_SHIFT
        if timer.slot_ms <= wheel.now_ms:
            timer.slot_ms += 1 << COARSE_SHIFT
        ring_add(&wheel.coarse[(timer.slot_ms >> COARSE_SHIFT) & (SLOTS - 1)], timer)
    if wheel.wake_ms == 0 or timer.slot_ms < wheel.wake_ms:
        wheel.wake_ms = timer.slot_ms


cdef void wheel_turn(Wheel *wheel, uint64_t now_ms) noexcept nogil:
    """Turn to `now_ms`; what is due moves to the ring of expired timers."""
    cdef uint64_t tick = wheel.now_ms >> FINE_SHIFT
    cdef uint64_t last = now_ms >> FINE_SHIFT
    cdef uint64_t coarse_tick = wheel.now_ms >> COARSE_SHIFT
    cdef uint64_t coarse_last = now_ms >> COARSE_SHIFT
    if last - tick > SLOTS:
        tick = last - SLOTS
    if coarse_last - coarse_tick > SLOTS:
        coarse_tick = coarse_last - SLOTS
    wheel.now_ms = now_ms
    while coarse_tick < coarse_last:
        coarse_tick += 1
        empty_slot(wheel, &wheel.coarse[coarse_tick & (SLOTS - 1)], now_ms)
    while tick < last:
        tick += 1
        empty_slot(wheel, &wheel.fine[tick & (SLOTS - 1)], now_ms)
    wheel.wake_ms = next_wake(wheel)


cdef Timer *wheel_next_expired(Wheel *wheel) noexcept nogil:
    """Take one expired timer out of the wheel, disarmed; NULL when there is none left."""
    cdef Timer *timer = wheel.expired.next
    if timer == &wheel.expired:
        return NULL
    timer_remove(timer)
    return timer


cdef void empty_slot(Wheel *wheel, Timer *head, uint64_t now_ms) noexcept nogil:
    """Take every timer of a slot: due ones to the expired, moved ones to where they belong now."""
    cdef Timer *timer = head.next
    cdef Timer *following
    ring_init(head)
    while timer != head:
        following = timer.next
        timer.next = NULL
        timer.previous = NULL
        if timer.deadline_ms == 0:
            pass
        elif timer.deadline_ms <= now_ms:
            timer.slot_ms = NEVER  # so that timer_set takes it out of the ring again
            ring_add(&wheel.expired, timer)
        else:
            place(wheel, timer)
        timer = following


cdef uint64_t next_wake(Wheel *wheel) noexcept nogil:
    cdef uint64_t tick = wheel.now_ms >> FINE_SHIFT
    cdef uint64_t coarse_tick = wheel.now_ms >> COARSE_SHIFT
    cdef uint64_t wake = 0
    cdef int i
    for i in range(1, SLOTS + 1):
        if not ring_is_empty(&wheel.fine[(tick + i) & (SLOTS - 1)]):
            wake = (tick + i) << FINE_SHIFT
            break
    for i in range(1, SLOTS + 1):
        if not ring_is_empty(&wheel.coarse[(coarse_tick + i) & (SLOTS - 1)]):
            if wake == 0 or (coarse_tick + i) << COARSE_SHIFT < wake:
                wake = (coarse_tick + i) << COARSE_SHIFT
            break
    return wake

# end hot


cdef class TimerWheel:
    """A wheel of `capacity` timers, named by their numbers, for whoever is not on the hot path."""

    cdef Wheel wheel
    cdef Timer *timers
    cdef readonly size_t capacity

    def __cinit__(self, size_t capacity, uint64_t now_ms):
        self.timers = <Timer *> calloc(capacity, sizeof(Timer))
        if self.timers == NULL:
            raise MemoryError
        self.capacity = capacity
        wheel_init(&self.wheel, now_ms)

    def __dealloc__(self):
        free(self.timers)

    def set(self, size_t number, uint64_t deadline_ms):
        """Arm a timer, or disarm it with 0."""
        timer_set(&self.wheel, self.timer(number), deadline_ms)

    def remove(self, size_t number):
        timer_remove(self.timer(number))

    def turn(self, uint64_t now_ms):
        """The numbers of the timers that have expired at `now_ms`."""
        cdef Timer *timer
        expired = []
        wheel_turn(&self.wheel, now_ms)
        timer = wheel_next_expired(&self.wheel)
        while timer != NULL:
            expired.append(timer - self.timers)
            timer = wheel_next_expired(&self.wheel)
        return expired

    @property
    def wake_ms(self):
        """When the wheel must be turned next; 0 for never."""
        return self.wheel.wake_ms

    cdef Timer *timer(self, size_t number) except NULL:
        if number >= self.capacity:
            raise IndexError(f"timer {number} of {self.capacity}")
        return &self.timers[number]


def milliseconds(seconds):
    """A duration of the model as the data plane counts it: 0 for no limit, never 0 for a short one."""
    return 0 if not seconds else max(1, round(seconds * 1000))
