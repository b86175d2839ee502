"""The entries of a ring in the order of their hashes.

Hosts that have the same key (several addresses of one name that is hashed instead of them, an address listed twice)
have the same hashes, and which of them gets a request is then a matter of the order in which a sort that is not stable
leaves them. Envoy is built with LLVM's C++ library, so `sort_like_envoy` makes the very swaps of its introspective sort
(pattern-defeating quicksort as of LLVM 15 and later). Where no two keys are the same any sort will do, and
`sort_by_buckets` is fast, because hashes spread evenly.
"""

from libc.stdlib cimport free, malloc

cdef enum:
    INSERTION_LIMIT = 24  # below this many entries they are inserted one by one
    NINTHER_LIMIT = 128  # above it the pivot is the median of three medians
    INCOMPLETE_LIMIT = 8  # this many entries out of place: the range was not sorted after all
    BUCKET_LIMIT = 512  # below this many entries they are compared


# hot

cdef inline void swap(RingEntry *one, RingEntry *other) noexcept nogil:
    cdef RingEntry kept = one[0]
    one[0] = other[0]
    other[0] = kept


cdef void sort_3(RingEntry *x, RingEntry *y, RingEntry *z) noexcept nogil:
    if not y.hash < x.hash:
        if z.hash < y.hash:
            swap(y, z)
            if y.hash < x.hash:
                swap(x, y)
        return
    if z.hash < y.hash:
        swap(x, z)
        return
    swap(x, y)
    if z.hash < y.hash:
        swap(y, z)


cdef void sort_few(RingEntry *first, size_t count) noexcept nogil:
    """Three to five entries."""
    cdef size_t sorted_count, i
    sort_3(first, first + 1, first + 2)
    for sorted_count in range(3, count):
        i = sorted_count
        while i > 0 and first[i].hash < first[i - 1].hash:
            swap(first + i, first + i - 1)
            i -= 1


cdef inline void insert(RingEntry *first, RingEntry *entry) noexcept nogil:
    """Put an entry where it belongs among those sorted before it, behind its equals."""
    cdef RingEntry moved = entry[0]
    while entry != first and moved.hash < (entry - 1).hash:
        entry[0] = (entry - 1)[0]
        entry -= 1
    entry[0] = moved


cdef void sort_by_insertion(RingEntry *first, RingEntry *last) noexcept nogil:
    cdef RingEntry *entry = first + 1
    while entry < last:
        insert(first, entry)
        entry += 1


cdef bint is_soon_sorted(RingEntry *first, RingEntry *last) noexcept nogil:
    """Sort by insertion; False when that was given up because too many entries were out of place."""
    cdef size_t count = last - first
    cdef RingEntry *entry = first + 3
    cdef int moved = 0
    if count < 2:
        return True
    if count == 2:
        if first[1].hash < first[0].hash:
            swap(first, first + 1)
        return True
    if count <= 5:
        sort_few(first, count)
        return True
    sort_3(first, first + 1, first + 2)
    while entry != last:
        if entry.hash < (entry - 1).hash:
            insert(first, entry)
            moved += 1
            if moved == INCOMPLETE_LIMIT:
                return entry + 1 == last
        entry += 1
    return True


cdef void choose_pivot(RingEntry *first, RingEntry *last) noexcept nogil:
    """Leave the pivot in front."""
    cdef size_t half = <size_t> (last - first) >> 1
    if last - first <= NINTHER_LIMIT:
        sort_3(first + half, first, last - 1)
        return
    sort_3(first, first + half, last - 1)
    sort_3(first + 1, first + (half - 1), last - 2)
    sort_3(first + 2, first + (half + 1), last - 3)
    sort_3(first + (half - 1), first + half, first + (half + 1))
    swap(first, first + half)


cdef RingEntry *part_equals_right(RingEntry *begin, RingEntry *last, bint *was_parted) noexcept nogil:
    """Part by the entry in front; where that entry is now. Its equals are behind it."""
    cdef RingEntry pivot = begin[0]
    cdef RingEntry *first = begin + 1
    while first.hash < pivot.hash:
        first += 1
    if first == begin + 1:
        while first < last:
            last -= 1
            if last.hash < pivot.hash:
                break
    else:
        last -= 1
        while not last.hash < pivot.hash:
            last -= 1
    was_parted[0] = first >= last
    while first < last:
        swap(first, last)
        first += 1
        while first.hash < pivot.hash:
            first += 1
        last -= 1
        while not last.hash < pivot.hash:
            last -= 1
    first -= 1
    if begin != first:
        begin[0] = first[0]
    first[0] = pivot
    return first


cdef RingEntry *part_equals_left(RingEntry *begin, RingEntry *last) noexcept nogil:
    """Part by the entry in front, which is the least; the first entry that is greater."""
    cdef RingEntry pivot = begin[0]
    cdef RingEntry *first = begin + 1
    if pivot.hash < (last - 1).hash:
        while not pivot.hash < first.hash:
            first += 1
    else:
        while first < last and not pivot.hash < first.hash:
            first += 1
    if first < last:
        last -= 1
        while pivot.hash < last.hash:
            last -= 1
    while first < last:
        swap(first, last)
        first += 1
        while not pivot.hash < first.hash:
            first += 1
        last -= 1
        while pivot.hash < last.hash:
            last -= 1
    if begin != first - 1:
        begin[0] = (first - 1)[0]
    (first - 1)[0] = pivot
    return first


cdef void sort_range(RingEntry *first, RingEntry *last, bint leftmost) noexcept nogil:
    """Hashes are no adversary's choice, so it needs no way out of bad pivots."""
    cdef RingEntry *pivot
    cdef bint was_parted, left_is_sorted
    while last - first >= INSERTION_LIMIT:
        choose_pivot(first, last)
        if not leftmost and not (first - 1).hash < first.hash:
            first = part_equals_left(first, last)
            continue
        pivot = part_equals_right(first, last, &was_parted)
        if was_parted:
            left_is_sorted = is_soon_sorted(first, pivot)
            if is_soon_sorted(pivot + 1, last):
                if left_is_sorted:
                    return
                last = pivot
                continue
            if left_is_sorted:
                first = pivot + 1
                continue
        sort_range(first, pivot, leftmost)
        leftmost = False
        first = pivot + 1
    if last - first > 5 or last - first < 3:
        sort_by_insertion(first, last)
    else:
        sort_few(first, last - first)


cdef void sort_like_envoy(RingEntry *entries, size_t count) noexcept nogil:
    sort_range(entries, entries + count, True)

# end hot


cdef void sort_by_buckets(RingEntry *entries, size_t count) noexcept nogil:
    sort_by_byte(entries, count, 56)


cdef void sort_by_byte(RingEntry *entries, size_t count, int shift) noexcept nogil:
    """Put every entry into the bucket of one byte of its hash, in place, then sort each bucket by the next byte."""
    cdef size_t ends[256]
    cdef size_t next[256]
    cdef size_t i, start = 0
    if count < BUCKET_LIMIT or shift < 0:
        sort_range(entries, entries + count, True)
        return
    for i in range(256):
        ends[i] = 0
    for i in range(count):
        ends[entries[i].hash >> shift & 255] += 1
    for i in range(256):
        next[i] = start
        start += ends[i]
        ends[i] = start
    fill_buckets(entries, ends, next, shift)
    start = 0
    for i in range(256):
        sort_by_byte(entries + start, ends[i] - start, shift - 8)
        start = ends[i]


cdef void fill_buckets(RingEntry *entries, const size_t *ends, size_t *next, int shift) noexcept nogil:
    """`next` is where each bucket has room, which is over at its end: each entry pushes the one in its place on."""
    cdef size_t bucket, other
    cdef RingEntry moved
    for bucket in range(256):
        while next[bucket] < ends[bucket]:
            moved = entries[next[bucket]]
            other = moved.hash >> shift & 255
            while other != bucket:
                swap(&moved, &entries[next[other]])
                next[other] += 1
                other = moved.hash >> shift & 255
            entries[next[bucket]] = moved
            next[bucket] += 1


def sorted_entries(entries, *, like_envoy):
    """`(hash, host)` pairs in the order in which the sort of Envoy, or the fast one, leaves them."""
    cdef size_t i, count = len(entries)
    cdef RingEntry *copy = <RingEntry *> malloc((count + 1) * sizeof(RingEntry))
    if copy == NULL:
        raise MemoryError
    for i in range(count):
        copy[i].hash, copy[i].host = entries[i]
    if like_envoy:
        sort_like_envoy(copy, count)
    else:
        sort_by_buckets(copy, count)
    found = [(copy[i].hash, copy[i].host) for i in range(count)]
    free(copy)
    return found
