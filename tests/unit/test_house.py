"""The rules of the house that a program can check."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import fastproxy
from tests.support import source_tree
from tests.support.source_tree import ROOT

# Modules without a unit test of their own, and what tests them instead.
TESTED_ELSEWHERE: dict[str, str] = {
    "fastproxy": "test_house.py: the version",
    "fastproxy.errors": "test_config.py: each message, with its place",
    "fastproxy._session_slots": "test__sessions.py: the table that is made of it",
    "fastproxy.model_balancing": "test_config_build_balancers.py: each field, as the files fill it",
    "fastproxy.model": "test_config_build.py: each field, as the files fill it",
    "fastproxy.model_dns": "test_config_build_dns.py: each field, as the files fill it",
    "fastproxy.model_heads": "test_config_build_manager.py: each field, as the files fill it",
    "fastproxy.model_limits": "test_config_build_limits.py: each field, as the files fill it",
}
# What a .pyx imports from: ourselves, and the C declarations that Cython brings along.
NOT_PACKAGES = {"fastproxy", "libc", "posix", "cpython", "cython"}
MODULE_LINES = 350
FUNCTION_LINES = 80
SOURCE_NAME = re.compile(r"_{0,2}[a-z][a-z0-9_]*\.(py|pyx|pxd|pyi|h|c)")
DOCUMENT_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\.md|[A-Z]+\.md")
# Folders of somebody's machine, and the hosts that packages come from: neither is part of the project.
FORBIDDEN = re.compile(
    r"(?<![\w.])/(?:" + "|".join(["home", "root", "Users", "work", "opt", "mnt", "tmp/" + "scratch"]) + r")/\w"
    r"|registry\.npm" + r"js|py" + r"pi\.org|python" + r"hosted\.org|deb\.deb" + r"ian\.org"
)
TEXT = {
    ".py",
    ".pyx",
    ".pxd",
    ".pyi",
    ".md",
    ".toml",
    ".json",
    ".js",
    ".mjs",
    ".html",
    ".css",
    ".in",
    ".txt",
    ".yaml",
    "",
}


def unit_tests(module: str) -> list[str]:
    """The names that a module's unit test may have: `config.v1` has test_config_v1.py or test_v1.py."""
    parts = module.split(".")[1:]
    return [f"test_{'_'.join(parts)}.py", f"test_{parts[-1]}.py"] if parts else []


def has_code(module: str) -> bool:
    """Declarations of C only, and an empty __init__, have nothing to test."""
    paths = source_tree.modules()[module]
    return any(path.suffix != ".pxd" and len(path.read_text().splitlines()) > 1 for path in paths)


@pytest.mark.parametrize("module", sorted(source_tree.modules()))
def test_each_module_has_a_unit_test(module):
    folder = ROOT / "tests" / "unit"
    if has_code(module) and module not in TESTED_ELSEWHERE:
        assert any(next(folder.rglob(name), None) for name in unit_tests(module)), f"one of {unit_tests(module)}"


def test_the_list_of_exceptions_is_true():
    """Each entry is a module that exists and has no unit test, and names a file that exists."""
    for module, elsewhere in TESTED_ELSEWHERE.items():
        assert module in source_tree.modules()
        assert not any(next((ROOT / "tests" / "unit").rglob(name), None) for name in unit_tests(module))
        assert list((ROOT / "tests").rglob(elsewhere.split(":")[0]))


def test_changelog_and_version_agree():
    top = re.search(r"^## \[([^\]]+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert top is not None
    assert top[1] == fastproxy.__version__


def test_dependencies_are_what_is_imported():
    """Each package that the wheel asks for is imported, and each one imported is asked for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {canonicalize_name(Requirement(each).name) for each in project["dependencies"]}
    owners = packages_distributions()
    foreign = source_tree.top_level_imports() - sys.stdlib_module_names - NOT_PACKAGES
    candidates = {name: {canonicalize_name(owner) for owner in owners.get(name, [])} for name in foreign}
    assert {name: owned for name, owned in candidates.items() if not owned & wanted} == {}
    assert wanted <= set().union(*candidates.values())


def test_no_path_of_a_machine_and_no_registry():
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in source_tree.files()
        if path.suffix in TEXT
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if FORBIDDEN.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("text", ["see /ro" + "ot/x", "'/ho" + "me/me/file'", "https://py" + "pi.org/simple"])
def test_a_path_of_a_machine_is_seen(text):
    assert FORBIDDEN.search(text)


@pytest.mark.parametrize("text", ["GET /rootless", "a/home/x", "./work/x", "/var/log/x", "/optional/x"])
def test_another_path_is_not(text):
    assert not FORBIDDEN.search(text)


def test_file_names():
    """Modules and tests in lower case with `_`, documents with `-`; the few of the top level in capitals."""
    for path in source_tree.files():
        if path.suffix in {".py", ".pyx", ".pxd", ".pyi", ".h", ".c"}:
            assert SOURCE_NAME.fullmatch(path.name), path
        elif path.suffix == ".md":
            assert DOCUMENT_NAME.fullmatch(path.name), path


@pytest.mark.parametrize("module", sorted(source_tree.modules()))
def test_modules_are_short(module):
    for path in source_tree.modules()[module]:
        assert len(path.read_text().splitlines()) <= MODULE_LINES, path


@pytest.mark.parametrize("module", sorted(source_tree.modules()))
def test_functions_are_short(module):
    for path in source_tree.modules()[module]:
        assert [each for each in function_lengths(path.read_text(), path.suffix) if each[1] > FUNCTION_LINES] == []


def function_lengths(text: str, suffix: str) -> list[tuple[str, int]]:
    """Name and length in lines of each function, its docstring and head included."""
    if suffix == ".py":
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
        nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, kinds)]
        return [(node.name, (node.end_lineno or node.lineno) - node.lineno + 1) for node in nodes]
    return cython_function_lengths(text.splitlines())


def cython_function_lengths(lines: list[str]) -> list[tuple[str, int]]:
    """The same by indentation, for what Python's parser does not read."""
    head = re.compile(
        r"^(?P<indent>\s*)(?:def|cdef|cpdef)\s+(?!class\b|struct\b|enum\b|extern\b)[^=]*?(?P<name>\w+)\((?!.*\)\s*$)"
    )
    lengths = []
    for number, line in enumerate(lines):
        if found := head.match(line):
            depth = len(found["indent"])
            length = body_length(lines[number + 1 :], depth)
            lengths.append((found["name"], length + 1))
    return lengths


def body_length(following: list[str], depth: int) -> int:
    """Lines up to the last one that stands deeper than `depth`; the `):` of a long head belongs to it."""
    length = 0
    for number, line in enumerate(following, 1):
        stripped = line.lstrip()
        if stripped and not stripped.startswith((")", "#")) and len(line) - len(stripped) <= depth:
            break
        if stripped:
            length = number
    return length


def test_long_functions_are_seen():
    body = "".join(f"{' ' * 8}x = {number}\n" for number in range(90))
    head = "cdef class A:\n    cdef int long(\n        self,\n    ) noexcept nogil:\n"
    cython = f"{head}{body}\n    def short(self):\n        pass\n"
    assert dict(cython_function_lengths(cython.splitlines())) == {"long": 93, "short": 2}
    python = f"class A:\n    def long(self):\n{body}"
    assert function_lengths(python, ".py") == [("long", 91)]
