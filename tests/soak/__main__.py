"""`python -m tests.soak --seconds 300`: exit status 1 when anything was wrong, lost, or left behind."""

import argparse
import random
import sys
import tempfile
from pathlib import Path

from tests.soak.soak import Plan, soak


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--actors", type=int, default=48)
    parser.add_argument("--idle", type=int, default=200)
    parser.add_argument("--keep", type=Path, help="a folder for the logs, which are else thrown away")
    chosen = parser.parse_args()
    plan = Plan(chosen.seconds, chosen.seed, chosen.actors, chosen.idle)
    print(f"seed {plan.seed}, {plan.seconds:g} s, {plan.actors} actors", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        report = soak(plan, chosen.keep or Path(folder))
    print(report.text())
    return 0 if report.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
