from fastproxy import model_routes as models

class StringMatcher:
    def __init__(self, model: models.StringMatcher) -> None: ...

class HeaderMatcher:
    model: models.HeaderMatcher
    def __init__(self, model: models.HeaderMatcher) -> None: ...

class QueryParameterMatcher:
    model: models.QueryParameterMatcher
    def __init__(self, model: models.QueryParameterMatcher) -> None: ...

class CookieMatcher:
    model: models.CookieMatcher
    def __init__(self, model: models.CookieMatcher) -> None: ...

class Conditions:
    headers: tuple[HeaderMatcher, ...]
    query_parameters: tuple[QueryParameterMatcher, ...]
    cookies: tuple[CookieMatcher, ...]
    share: int
    grpc: bool
    are_none: bool
    def __init__(self, model: models.RouteMatch) -> None: ...
