"""No call to Python in an inner loop: lines between `# hot` and `# end hot` score zero in Cython's annotation.

The score of a line is what Cython itself counts in the C code that it wrote for it: calls of Python's C API and of
Cython's helpers. Zero means plain C.
"""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.source_tree import ROOT

MARK = re.compile(r"^\s*# (?P<end>end )?hot\s*$")
SCORED_LINE = re.compile(r'<pre class="cython line score-(\d+)".*?<span class="">(\d+)</span>: ')


def hot_lines(text: str) -> set[int]:
    """Numbers, from 1, of the lines between the marks; ValueError when a mark has no partner."""
    hot: set[int] = set()
    start = 0
    for number, line in enumerate(text.splitlines(), 1):
        if found := MARK.match(line):
            if bool(found["end"]) != bool(start):
                raise ValueError(f"line {number}: {line.strip()!r} has no partner")
            hot.update(range(start + 1, number) if start else ())
            start = 0 if start else number
    if start:
        raise ValueError(f"line {start}: '# hot' has no partner")
    return hot


def directives() -> list[str]:
    """The compiler directives of setup.py, as options of Cython's command: the code measured is the code shipped."""
    tree = ast.parse((ROOT / "setup.py").read_text())
    assignments = [node for node in tree.body if isinstance(node, ast.Assign)]
    values = {node.targets[0].id: node.value for node in assignments if isinstance(node.targets[0], ast.Name)}
    chosen = ast.literal_eval(values["DIRECTIVES"])
    return [part for name, value in chosen.items() for part in ("-X", f"{name}={value}")]


def annotation(source: Path, folder: Path) -> Path:
    """Cython's page about a .pyx, made now; `folder` is where its imports are found."""
    output = folder / f"{source.stem}.annotated.c"
    command = [sys.executable, "-m", "cython", "-3", "--annotate", *directives(), "-o", str(output), str(source)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return output.with_suffix(".html")


def built_annotation(source: str) -> Path | None:
    """The page that the build has left, unless something was written since that may have changed it."""
    page = ROOT / "build" / "release" / Path(source).with_suffix(".html")
    declarations = (ROOT / "fastproxy").rglob("*.pxd")
    newest = max(path.stat().st_mtime for path in (ROOT / source, ROOT / "setup.py", *declarations))
    return page if page.exists() and page.stat().st_mtime > newest else None


def scores(page: Path) -> dict[int, int]:
    """Line number and score of every line of a .pyx."""
    return {int(line): int(score) for score, line in SCORED_LINE.findall(page.read_text())}


def slow_hot_lines(source: Path, page: Path) -> list[str]:
    text = source.read_text()
    scored = scores(page)
    assert set(scored) >= hot_lines(text)
    lines = text.splitlines()
    return [f"{source.name}:{n}: score {scored[n]}: {lines[n - 1].strip()}" for n in hot_lines(text) if scored[n]]


def marked_sources() -> list[str]:
    found = (ROOT / "fastproxy").rglob("*.pyx")
    return sorted(str(path.relative_to(ROOT)) for path in found if hot_lines(path.read_text()))


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The package in a folder where Cython may write beside it."""
    folder = tmp_path_factory.mktemp("annotate")
    shutil.copytree(
        ROOT / "fastproxy", folder / "fastproxy", ignore=shutil.ignore_patterns("*.so", "*.c", "__pycache__")
    )
    return folder


@pytest.mark.parametrize("source", marked_sources())
def test_hot_lines_are_plain_c(copy, source):
    assert slow_hot_lines(copy / source, built_annotation(source) or annotation(copy / source, copy)) == []


def test_the_data_plane_is_marked():
    assert len(marked_sources()) >= 2


EXAMPLE = """\
cdef int total(const int *values, int count) noexcept nogil:
    cdef int sum = 0
    cdef int at
    # hot
    for at in range(count):
        sum += values[at]
    # end hot
    return sum

def loop(values):
    total = 0
    # hot
    for value in values:
        total += value
    # end hot
    return total
"""


def test_a_call_to_python_is_seen(tmp_path):
    source = tmp_path / "example.pyx"
    source.write_text(EXAMPLE)
    assert hot_lines(EXAMPLE) == {5, 6, 13, 14}
    found = slow_hot_lines(source, annotation(source, tmp_path))
    assert [each.split(": ")[0] for each in found] == ["example.pyx:13", "example.pyx:14"]


@pytest.mark.parametrize(
    "text", ["# hot\n", "# end hot\n", "# hot\n# hot\n# end hot\n", "# hot\n# end hot\n# end hot\n"]
)
def test_a_mark_without_partner_is_an_error(text):
    with pytest.raises(ValueError, match="has no partner"):
        hot_lines(text)
