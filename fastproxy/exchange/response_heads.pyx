"""What is said in the heads of responses beside what the upstream said: by the proxy, by the route, by its filters.

The parsed head is changed in place, so that the access log sees what the client sees. A local reply has a head too,
which begins empty.
"""

from libc.stdio cimport snprintf
from libc.string cimport memset

from fastproxy.access_log cimport LogFacts
from fastproxy.exchange.log cimport AddressTexts
from fastproxy.exchange.state cimport Exchange
from fastproxy.head_fields cimport append_field, has_room, remove_fields, set_field
from fastproxy.header_rules cimport change_response
from fastproxy.heads cimport ResponseHead, write_local_reply
from fastproxy.http1 cimport H_CONTENT_TYPE, H_X_ENVOY_UPSTREAM_SERVICE_TIME, header_id
from fastproxy.log_record cimport LogRecord
from fastproxy.reply_mapping cimport ReplyMapper, ReplyMapping
from fastproxy.slices cimport Slice

cdef bytes TEXT = b"text/plain"
cdef bytes ATTEMPT_COUNT = b"x-envoy-attempt-count"


cdef class ResponseHeads(Timeouts):
    """Fills in, changes and composes response heads."""

    cdef void fill_response_head(self, Exchange x, ResponseHead *plan) noexcept:
        memset(plan, 0, sizeof(plan[0]))
        if x.manager.adds_server:
            plan.server_name = Slice(x.manager.server_name, len(x.manager.server_name))
        plan.keeps_server = x.manager.keeps_server
        plan.proper_case = x.manager.proper_case
        plan.via = Slice(x.manager.via, len(x.manager.via))
        if x.request_id is not None:
            plan.request_id = Slice(x.request_id, len(x.request_id))
        plan.date = self.stamps.date(self.io.now_ms)
        plan.service_time_ms = -1 if x.manager.suppress_envoy_headers else x.service_time_ms
        plan.minor_version = x.minor_version
        plan.close = not x.keep_alive
        plan.keep_alive = x.minor_version == 0
        self.writer.at = self.writer.start
        self.writer.overflow = False

    cdef bint change_response_head(self, Exchange x):
        """Have the head say what the route and its filters want in Envoy's order; False when it has no room for it."""
        cdef LogFacts facts
        cdef AddressTexts texts
        cdef bint fits = True
        if x.cookies is not None and x.upstream != NULL:
            for value in x.cookies:
                fits = fits and self.append_text(b"set-cookie", value)
        if x.rules is not None and fits:
            self.say_service_time(x)
            self.describe(&facts, x, x.downstream, &texts, True)
            self.room.used = 0
            fits = change_response(x.rules, &self.head, x.kept, &facts, &self.room)
        if x.fields is not None:
            for name, value in x.fields:
                remove_fields(&self.head, Slice(name, len(name)), header_id(name, len(name)))
                fits = fits and self.append_text(name, value)
        if x.cluster is not None and x.route.attempt_count_in_response:
            fits = fits and self.say_attempt_count(x)
        return fits

    cdef void say_service_time(self, Exchange x) noexcept:
        """Have the head say how long the upstream took, where rules may yet take it away."""
        if x.service_time_ms >= 0 and not x.manager.suppress_envoy_headers and has_room(&self.head, 1):
            set_field(
                &self.head, b"x-envoy-upstream-service-time", H_X_ENVOY_UPSTREAM_SERVICE_TIME,
                Slice(<const char *> self.service_time,
                      snprintf(self.service_time, sizeof(self.service_time), b"%lld", <long long> x.service_time_ms)))
            x.service_time_ms = -1

    cdef bint say_attempt_count(self, Exchange x) noexcept:
        """Have the head say how often the request was sent; False when it has no room for it."""
        cdef Slice count
        cdef Slice name = Slice(ATTEMPT_COUNT, len(ATTEMPT_COUNT))
        self.say_service_time(x)
        count.data = self.attempt_count
        count.length = snprintf(self.attempt_count, sizeof(self.attempt_count), b"%u", x.retried + 1)
        remove_fields(&self.head, name, header_id(name.data, name.length))
        if not has_room(&self.head, 1):
            return False
        append_field(&self.head, name, header_id(name.data, name.length), count)
        return True

    cdef bint append_text(self, bytes name, bytes value) noexcept:
        """Put a field behind the others of the head at hand; the exchange has to own both texts."""
        if not has_room(&self.head, 1):
            return False
        append_field(
            &self.head, Slice(name, len(name)), header_id(name, len(name)), Slice(value, len(value)))
        return True

    cdef bytes compose_reply(self, Exchange x, int status, bytes body):
        """Write the head of a response of the proxy's own, and give back what its body is to be."""
        cdef bytes content_type
        cdef ResponseHead plan
        self.head.count = 0
        self.head.seen = self.head.repeated = 0
        x.status = self.head.status = status
        if x.location is not None:
            self.append_text(b"location", x.location)
        if x.changes_response:
            self.change_response_head(x)
        if x.manager.replies is not None and not x.is_verbatim:
            body = self.map_reply(x, body)
        if x.changes_response or x.location is not None:
            self.keep_response_fields(x)
        self.fill_response_head(x, &plan)
        content_type = TEXT if x.content_type is None else x.content_type
        write_local_reply(
            &self.writer, &self.head, len(body), Slice(content_type, len(content_type)), &plan, x.is_head)
        x.bytes_sent = 0 if x.is_head else len(body)
        return body

    cdef bytes map_reply(self, Exchange x, bytes body):
        """Change status, headers and body as local_reply_config says."""
        cdef ReplyMapping replies = x.manager.replies
        cdef LogFacts facts
        cdef ReplyMapper mapper
        cdef AddressTexts texts
        cdef bytes content_type
        self.describe(&facts, x, x.downstream, &texts, True)
        mapper = replies.mapper_for(&facts)
        content_type = replies.content_type(mapper)
        if mapper is not None:
            body = body if mapper.body is None else mapper.body
            self.room.used = 0
            change_response(mapper.header_rules, &self.head, None, &facts, &self.room)
            if mapper.status:
                x.status = self.head.status = facts.response_code = mapper.status
        body = replies.render(mapper, body, <LogRecord *> x.reply_record, &facts)
        if body and content_type is not None:
            remove_fields(&self.head, Slice(b"content-type", 12), H_CONTENT_TYPE)
            x.content_type = content_type
        return body
