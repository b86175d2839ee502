"""`python -m fastproxy` is the `fastproxy` command."""

import sys

from fastproxy.cli import main

if __name__ == "__main__":
    sys.exit(main())
