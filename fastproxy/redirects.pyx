"""Where a redirect sends a client (Envoy: config.route.v3.RedirectAction)."""

from fastproxy.http1 cimport H_X_FORWARDED_PROTO, header
from fastproxy.request_values cimport scheme_of


cdef class Redirect:
    """One redirect; `keeps_authority` leaves even a port alone that does not go with the new scheme."""

    def __init__(self, model, keeps_authority=False):
        self.status = model.status
        self.scheme = model.scheme.encode() or None
        self.host = model.host.encode() or None
        self.port = b":%d" % model.port if model.port else b""
        self.path = model.path.encode() or None
        self.path_has_query = "?" in model.path
        self.strip_query = model.strip_query
        self.keeps_authority = keeps_authority
        self.rewriter = PathRewriter(model.prefix_rewrite, model.regex_rewrite)

    cdef bytes location(self, const RequestFacts *facts, const PathMatcher *matcher):
        """The URL for a request whose path `matcher` fitted."""
        cdef Slice own = scheme_of(facts.head)
        cdef bytes scheme = self.scheme if self.scheme is not None else own.data[:own.length]
        cdef bytes host = self.host if self.host is not None else self.new_host(facts, scheme)
        return b"%b://%b%b%b" % (scheme, host, self.port, self.new_path(facts.path, matcher))

    cdef bytes new_path(self, Slice path, const PathMatcher *matcher):
        cdef bytes old = path.data[:path.length]
        cdef bytes new
        if self.path is not None:
            if self.path_has_query:
                return self.path
            new = self.path + b"".join(old.partition(b"?")[1:])
        else:
            new = self.rewriter.rewritten(path, matcher)
            if new is None:
                new = old
        return new.partition(b"?")[0] if self.strip_query else new

    cdef bytes new_host(self, const RequestFacts *facts, bytes scheme):
        """The authority, without a port that is replaced or that was the default of the scheme before."""
        cdef const Slice *proto = header(facts.head, H_X_FORWARDED_PROTO)
        cdef bytes authority = facts.authority.data[:facts.authority.length]
        cdef bytes before = proto.data[:proto.length] if proto != NULL else b""
        host, colon, port = authority.rpartition(b":")
        if not colon or self.keeps_authority or authority.startswith(b"[") and not host.endswith(b"]"):
            return authority
        is_default = (before, port) in ((b"http", b"80"), (b"https", b"443"))
        return host if self.port or is_default and scheme != before else authority
