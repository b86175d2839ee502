"""The hash by which a cluster's balancer chooses a host for a request: its route's hash policies combined."""

from collections import namedtuple

from fastproxy.hash_policies cimport HashPolicy, new_policy

from fastproxy.model import CookieHashPolicy

Step = namedtuple("Step", "policy values hash combined ends set_cookie")
Step.__doc__ = """What one policy made of a request.

`values` and their `hash` are None where the request has nothing of the kind; `combined` is the hash so far, None: none.
`ends`: the policy is terminal and there is a hash, the ones behind it were not asked. `set_cookie`: what would be made.
"""


cdef inline uint64_t rotl(uint64_t value) noexcept nogil:
    return value << 1 | value >> 63


cdef class HashPolicies:
    """The hash policies of one route or cluster, in their order."""

    def __init__(self, models):
        self.policies = tuple([new_policy(model) for model in models])
        self.makes_cookies = any(isinstance(each, CookieHashPolicy) and each.ttl_s is not None for each in models)

    cdef bint hash(self, const RequestFacts *facts, uint64_t *hash, list cookies) except -1:
        """Combine the policies into `hash`; False when none of them found anything to hash.

        A policy that makes a cookie appends its Set-Cookie value to `cookies`.
        """
        cdef HashPolicy policy
        cdef uint64_t found = 0
        cdef bint has_hash = False
        for policy in self.policies:
            if policy.find(facts, &found, cookies):
                hash[0] = rotl(hash[0]) ^ found if has_hash else found
                has_hash = True
            if has_hash and policy.terminal:
                break
        return has_hash

    cdef list trace(self, const RequestFacts *facts):
        """A Step for each policy that is asked."""
        cdef HashPolicy policy
        cdef uint64_t found = 0, combined = 0
        cdef bint has_hash = False, is_found
        steps = []
        for policy in self.policies:
            cookies = []
            is_found = policy.find(facts, &found, None)
            if is_found:
                combined = rotl(combined) ^ found if has_hash else found
                has_hash = True
            ends = has_hash and policy.terminal
            values = policy.values(facts, cookies)
            steps.append(Step(policy.name, values, found if is_found else None, combined if has_hash else None,
                              bool(ends), cookies[0] if cookies else None))
            if ends:
                break
        return steps
