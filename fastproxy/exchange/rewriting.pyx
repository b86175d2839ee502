"""Where a request goes, and what its route changes in it on the way.

As in Envoy's router: headers are removed and added first, then the host is rewritten, then the path; what is hashed
afterwards is what the route has written.
"""

from cpython.ref cimport PyObject

from fastproxy.access_log cimport LogFacts
from fastproxy.counters cimport http_no_cluster
from fastproxy.exchange.local_replies cimport NO_BODY
from fastproxy.exchange.log cimport AddressTexts
from fastproxy.exchange.state cimport Exchange
from fastproxy.head_fields cimport append_field, has_room, remove_fields
from fastproxy.header_rules cimport change_request
from fastproxy.heads cimport RequestHead
from fastproxy.http1 cimport HEAD_TOO_MANY_FIELDS, HeaderId, header_id
from fastproxy.request_facts cimport RequestFacts
from fastproxy.response_flags cimport FLAG_NC
from fastproxy.routing cimport Destination
from fastproxy.slices cimport Field, Slice

cdef bytes FORWARDED_HOST = b"x-forwarded-host"
cdef bytes ORIGINAL_HOST = b"x-envoy-original-host"


cdef class Rewriting(Answers):
    """Changes requests as their routes say."""

    cdef bint direct(self, Exchange x, RequestFacts *facts, RequestHead *plan):
        """Choose the cluster and change the request for it; False when the request was answered here."""
        cdef Destination destination = x.route.choose(facts)
        cdef bytes host
        if destination is None:
            x.response_flags |= FLAG_NC
            x.downstream.counters[<int> http_no_cluster] += 1
            if x.route.header_rules:
                self.take_rules(x, x.route.header_rules, facts)
            self.reply(x, x.route.missing_cluster_status, NO_BODY)
            return False
        x.cluster = destination.cluster
        x.changes_response = x.changes_response or x.route.attempt_count_in_response
        if x.manager.filter_state is not None:
            self.set_filter_state(x, facts)
        if destination.header_rules and not self.apply_rules(x, destination, facts):
            self.refuse(x, HEAD_TOO_MANY_FIELDS)
            return False
        if destination.host_rewrite is not None:  # of which Envoy does not tell the upstream
            plan.authority = facts.authority = Slice(destination.host_rewrite, len(destination.host_rewrite))
        host = x.route.rewritten_host(facts)
        if host is not None:
            self.rewrite_host(x, host, facts, plan)
        x.rewritten = x.route.rewritten_path(facts)
        if x.rewritten is not None:
            plan.original_path = plan.path
            plan.path = facts.path = Slice(x.rewritten, len(x.rewritten))
        if destination.header_rules:  # what they say about the response sees the request as it was changed
            self.take_rules(x, destination.header_rules, facts)
        return True

    cdef int set_filter_state(self, Exchange x, RequestFacts *facts) except -1:
        """Remember for the hash what the filters make of the request as it is now."""
        cdef LogFacts known
        cdef AddressTexts texts
        self.describe(&known, x, x.downstream, &texts, True)
        x.filter_state = x.manager.filter_state.objects(facts, &known)
        facts.filter_state = <PyObject *> x.filter_state

    cdef bint apply_rules(self, Exchange x, Destination destination, RequestFacts *facts):
        """Change the request's headers; False: too many headers."""
        cdef LogFacts known
        cdef AddressTexts texts
        self.describe(&known, x, x.downstream, &texts, True)
        self.room.used = 0
        return change_request(destination.header_rules, facts, &known, &self.room)

    cdef int rewrite_host(self, Exchange x, bytes host, RequestFacts *facts, RequestHead *plan) except -1:
        """Ask the upstream with another host, and tell it the one that the client asked with."""
        cdef bytes original = facts.authority.data[:facts.authority.length]
        cdef bytes forwarded = self.forwarded_host(facts) if x.route.append_x_forwarded_host else None
        x.hosts = (host, original, forwarded)
        plan.authority = facts.authority = Slice(host, len(host))
        if forwarded is not None:
            replace_field(facts, FORWARDED_HOST, forwarded)
        replace_field(facts, ORIGINAL_HOST, original)

    cdef bytes forwarded_host(self, const RequestFacts *facts):
        """The hosts of earlier proxies' x-forwarded-host, and the one that the client asked this proxy with."""
        cdef const Field *field
        cdef int i
        hosts = []
        for i in range(facts.head.count):
            field = &facts.head.fields[i]
            if field.name.data[:field.name.length] == FORWARDED_HOST and field.value.length:
                hosts.append(field.value.data[:field.value.length])
        hosts.append(facts.authority.data[:facts.authority.length])
        return b",".join(hosts)

    cdef int take_name_of_host(self, Exchange x, RequestFacts *facts, RequestHead *plan) except -1:
        """auto_host_rewrite: the upstream is asked with its own name, where it has one."""
        name = x.host.model.hostname.encode()
        if name:
            self.rewrite_host(x, name, facts, plan)


cdef int replace_field(RequestFacts *facts, bytes name, bytes value) except -1:
    cdef HeaderId id = header_id(name, len(name))
    remove_fields(facts.head, Slice(name, len(name)), id)
    if has_room(facts.head, 1):
        append_field(facts.head, Slice(name, len(name)), id, Slice(value, len(value)))
