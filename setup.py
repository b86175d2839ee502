"""Builds the data plane: every .pyx below fastproxy/ becomes an extension of the same name.

Everything else about the project stands in pyproject.toml. The environment may say
FASTPROXY_DEBUG=1   bounds checks and assertions on, little optimisation: what `make debug` tests;
FASTPROXY_SANITIZE=1  with FASTPROXY_DEBUG=1: the compiler's address and undefined-behaviour sanitizers as well;
FASTPROXY_FUZZ=1    for tests/fuzz: the C of a release with assertions and sanitizers, little looked at by the compiler
                    so that every change can have it, and calls at every block and comparison for coverage.c;
FASTPROXY_STRICT=1  a warning of Cython or of the C compiler is an error: what `make` builds with;
FASTPROXY_BUILT=1   the extensions are in the tree already: for an editable installation, which would build them again.
"""

import os
import sys
from pathlib import Path

from Cython.Build import cythonize
from Cython.Compiler import Options
from setuptools import Extension, setup

DIRECTIVES = {
    "language_level": 3,
    "boundscheck": False,
    "wraparound": False,
    "cdivision": True,
    "initializedcheck": False,
    "embedsignature": True,
    "embedsignature.format": "python",
}
DEBUG_DIRECTIVES = {"boundscheck": True, "initializedcheck": True}

DEBUG = os.environ.get("FASTPROXY_DEBUG") == "1"
STRICT = os.environ.get("FASTPROXY_STRICT") == "1"
SANITIZE = os.environ.get("FASTPROXY_SANITIZE") == "1"
FUZZ = os.environ.get("FASTPROXY_FUZZ") == "1"
FLAVOUR = "sanitize" if SANITIZE else "debug" if DEBUG else "release"
# Cython writes functions that a module may not use, and labels that nothing jumps to; with little optimisation
# the compiler cannot see that a value is always set.
STRICT_FLAGS = ["-Wall", "-Werror", "-Wno-unused-function", "-Wno-unused-label"]
DEBUG_FLAGS = ["-O1", "-g", "-UNDEBUG", "-Wno-maybe-uninitialized", "-Wno-unknown-warning-option"]
SANITIZE_FLAGS = ["-fsanitize=address,undefined", "-fno-omit-frame-pointer"] * SANITIZE
# Left out are checks of each access to memory that take half of the compiler's time: the address sanitizer has its own.
FUZZ_FLAGS = ["-O0", "-g1", "-UNDEBUG", "-w", "-fsanitize=address,undefined"]
FUZZ_FLAGS += ["-fno-sanitize=null,alignment,object-size,pointer-overflow"]
FUZZ_FLAGS += ["-fsanitize-coverage=trace-pc,trace-cmp"]
RELEASE_FLAGS = ["-O3", "-g0"]
COMPILE_FLAGS = (
    STRICT_FLAGS * STRICT + (FUZZ_FLAGS if FUZZ else DEBUG_FLAGS if DEBUG else RELEASE_FLAGS) + SANITIZE_FLAGS
)
LINK_FLAGS = ["-fsanitize=address,undefined"] * (SANITIZE or FUZZ)


def chosen_names():
    """The extensions named by `--only a.b,c.d`, or None for all of them."""
    if "--only" not in sys.argv:
        return None
    at = sys.argv.index("--only")
    names = set(sys.argv[at + 1].split(","))
    del sys.argv[at : at + 2]
    return names


def extensions():
    only = chosen_names()
    for source in sorted(Path("fastproxy").rglob("*.pyx")):
        name = ".".join(source.with_suffix("").parts)
        if only is None or name in only:
            yield Extension(
                name,
                [str(source)],
                extra_compile_args=COMPILE_FLAGS,
                extra_link_args=LINK_FLAGS,
                define_macros=[] if DEBUG or FUZZ else [("CYTHON_WITHOUT_ASSERTIONS", None)],
            )


def flavour_changed():
    """Whether the extensions in the tree were built the other way: their dates do not tell."""
    if "--build-lib" in sys.argv:  # they stand elsewhere
        return False
    mark = Path("build/flavour")
    before = mark.read_text() if mark.exists() else "release"
    mark.parent.mkdir(exist_ok=True)
    mark.write_text(FLAVOUR)
    return before != FLAVOUR


def compiled(modules):
    """Their C files, written anew where a source is newer."""
    Options.warning_errors = STRICT
    return cythonize(
        modules,
        nthreads=os.cpu_count() or 1,
        build_dir=f"build/{FLAVOUR}",  # the C files, which are nothing to read beside the sources
        annotate=True,  # costs next to nothing, and tests/unit/test_annotate.py reads what it says of hot lines
        compiler_directives=DIRECTIVES | (DEBUG_DIRECTIVES if DEBUG else {}),
    )


def main():
    """A front end asks for metadata and for a source distribution too, which need no compiler."""
    is_build = not {"egg_info", "dist_info", "sdist"} & set(sys.argv)
    modules = list(extensions()) if os.environ.get("FASTPROXY_BUILT") != "1" else []
    setup(
        ext_modules=compiled(modules) if is_build else modules,
        options={"build_ext": {"force": flavour_changed(), "parallel": os.cpu_count()}} if is_build else {},
    )


if __name__ == "__main__":  # Cython's own processes may import this file
    main()
