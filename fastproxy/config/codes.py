"""The kinds of problems that loading finds, by stable codes. Those of advice (FP101 and on) belong to `lint`."""

FILE = "FP001"
SYNTAX = "FP002"
SCHEMA = "FP003"
RULE = "FP004"
UNSUPPORTED = "FP005"
NO_EFFECT = "FP006"
MEANING = "FP007"

TITLES = {
    FILE: "the file cannot be read",
    SYNTAX: "the text is no JSON or YAML that can be read without doubt",
    SCHEMA: "a key or a value that the schema does not have",
    RULE: "a value outside of its bounds, or one that is missing",
    UNSUPPORTED: "valid, and not supported",
    NO_EFFECT: "valid, and without effect here",
    MEANING: "parts that do not fit together",
}


def page(code: str) -> str:
    """Where the documentation tells what a code means."""
    return f"docs/lint/index.md#{code.lower()}" if code in TITLES else f"docs/lint/{code.lower()}.md"
