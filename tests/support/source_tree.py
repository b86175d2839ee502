"""The source tree as the tests of the house rules see it: its files, its modules, who imports whom."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "fastproxy"
NOT_OURS = {".git", ".venv", "build", "dist", "node_modules", "log", "screenshots", "__pycache__"}
CACHES = {".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"}
BUILT = {".so", ".pyc", ".c", ".html.annotated"}
SUFFIXES = (".py", ".pyx", ".pxd")
# A whole import statement: what is imported may go on over several lines, in parentheses.
CYTHON_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(?P<source>[\w.]+)[ \t]+(?:cimport|import)[ \t]+(?P<names>\([^)]*\)|[^\n#]+)"
    r"|(?:cimport|import)[ \t]+(?P<modules>[^\n#]+))",
    re.MULTILINE,
)


def files() -> list[Path]:
    """Every file of the tree that is not made by a tool, sorted."""
    return sorted(_walk(ROOT))


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name in NOT_OURS | CACHES or path.name.endswith(".egg-info"):
            continue
        if path.is_dir():
            yield from _walk(path)
        elif path.suffix not in BUILT or path.parent.name == "bench":
            yield path


def modules(package: Path | None = None) -> dict[str, list[Path]]:
    """Dotted name of each module of the package, and the files that make it up (.py, or .pyx and .pxd)."""
    package = package or ROOT / PACKAGE
    found: dict[str, list[Path]] = {}
    for path in sorted(package.rglob("*")):
        if path.suffix in SUFFIXES:
            parts = path.relative_to(package.parent).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found.setdefault(name, []).append(path)
    return found


def imports(name: str, paths: list[Path], known: set[str]) -> set[str]:
    """Modules among `known` that this module imports or cimports, itself left out."""
    is_package = any(path.stem == "__init__" for path in paths)
    raw = {target for path in paths for target in _raw_imports(path, name, is_package)}
    return {found for target in raw if (found := _longest_known(target, known))} - {name}


def top_level_imports() -> set[str]:
    """First parts of all that the package imports, of Python: what C declarations come from is left out."""
    raw = (
        _raw_imports(path, name, path.stem == "__init__")
        for name, paths in modules().items()
        for path in paths
        if path.suffix != ".pxd"
    )
    return {target.split(".")[0] for targets in raw for target in targets}


def _longest_known(target: str, known: set[str]) -> str | None:
    """The module that a dotted name belongs to: `a.b.Class` belongs to `a.b`."""
    parts = target.split(".")
    candidates = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((each for each in candidates if each in known), None)


def _raw_imports(path: Path, module: str, is_package: bool) -> Iterator[str]:
    text = path.read_text()
    statements = _python_imports(text) if path.suffix == ".py" else _cython_imports(text)
    for source, names in statements:
        base = _absolute(source, module, is_package)
        yield from (f"{base}.{each}" for each in names) if names else (base,)


def _python_imports(text: str) -> Iterator[tuple[str, list[str]]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or ""), [alias.name for alias in node.names]


def _cython_imports(text: str) -> Iterator[tuple[str, list[str]]]:
    for found in CYTHON_IMPORT.finditer(text):
        if found["source"]:
            yield found["source"], _names(found["names"].strip("()"))
        else:
            yield from ((each, []) for each in _names(found["modules"]))


def _names(text: str) -> list[str]:
    """`a, b as c  # why` is a and b."""
    without_comments = re.sub(r"#[^\n]*", "", text)
    return [each.split()[0] for each in without_comments.split(",") if each.strip()]


def _absolute(source: str, module: str, is_package: bool) -> str:
    """The dotted name that `.x` or `..x` stands for inside `module`."""
    name = source.lstrip(".")
    level = len(source) - len(name)
    if not level:
        return name
    parts = module.split(".")
    base = parts[: len(parts) - level + is_package]
    return ".".join([*base, name] if name else base)
