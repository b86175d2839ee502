"""What a route makes of the path and the authority of its requests (Envoy: RouteAction.prefix_rewrite and the like)."""

from fastproxy.path_matching cimport PATH_PREFIX, PATH_SEPARATED_PREFIX
from fastproxy.regexes import Regex, Substitution
from fastproxy.request_values cimport bare_length, is_shown, next_line, pseudo_header


cdef class RegexRewriter:
    """Replaces every match of a pattern."""

    def __init__(self, model):
        self.regex = Regex(model.pattern)
        self.substitution = Substitution(model.substitution)

    cdef bytes rewritten(self, const char *text, size_t length):
        return self.regex.replace_all(text[:length], self.substitution)


cdef class PathRewriter:
    """Replaces what a route matched, or whatever a regular expression finds; the query stays."""

    def __init__(self, prefix, regex):
        self.prefix = prefix.encode() or None
        self.regex = RegexRewriter(regex) if regex is not None else None

    cdef bytes rewritten(self, Slice path, const PathMatcher *matcher):
        """The new path; None when nothing is to be rewritten."""
        cdef size_t length = bare_length(path)
        if self.prefix is not None:
            if matcher.kind == PATH_PREFIX or matcher.kind == PATH_SEPARATED_PREFIX:
                length = matcher.length
            return self.prefix + path.data[length:path.length]
        if self.regex is not None:
            return self.regex.rewritten(path.data, length) + path.data[length:path.length]
        return None


cdef class HostRewriter:
    """Replaces the authority by a text, by a header's value or by what a pattern makes of the path."""

    def __init__(self, model):
        self.literal = model.host_rewrite.encode() or None
        self.header_name = model.host_rewrite_header.encode() or None
        self.path_regex = RegexRewriter(model.host_rewrite_path_regex) if model.host_rewrite_path_regex else None

    cdef bytes rewritten(self, const RequestFacts *facts):
        """The new authority; None when it stays."""
        cdef Slice value
        if self.literal is not None:
            return self.literal
        if self.path_regex is not None:
            return self.path_regex.rewritten(facts.path.data, bare_length(facts.path))
        if self.header_name is not None:
            value = header_value(facts, self.header_name)
            if value.length:
                return value.data[:value.length]
        return None


cdef Slice header_value(const RequestFacts *facts, bytes name):
    """The first line of a header; empty when there is none."""
    cdef Slice value = Slice(b"", 0)
    cdef int line
    if name.startswith(b":"):
        pseudo_header(&value, name, facts)
        return value
    line = next_line(facts.head, name, len(name), 0)
    return facts.head.fields[line].value if line >= 0 and is_shown(facts.head, name) else value
