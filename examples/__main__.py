"""Runs examples and checks their quality: `python -m examples NAME...`, `--all`, or a list."""

import argparse

from examples.running import add_options, run_all
from examples.table import EXAMPLES


def _list() -> None:
    width = max(map(len, EXAMPLES))
    for one in EXAMPLES.values():
        print(f"{one.name:<{width}}  {one.task}; {one.expectation}")


parser = argparse.ArgumentParser(prog="python -m examples", description=__doc__)
parser.add_argument("names", nargs="*", metavar="NAME", help="an example")
parser.add_argument("--all", action="store_true", help="run all")
add_options(parser)
arguments = parser.parse_args()
unknown = [name for name in arguments.names if name not in EXAMPLES]
if unknown:
    parser.error(f"expected one of {', '.join(EXAMPLES)}, got {unknown[0]}")
if arguments.all or arguments.names:
    chosen = [EXAMPLES[name] for name in (EXAMPLES if arguments.all else arguments.names)]
    raise SystemExit(run_all(chosen, arguments.folder, arguments.again))
_list()
