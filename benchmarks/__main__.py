"""``python -m benchmarks [NAME[:PART] ...]``: run the named benchmarks, or all, and write what they find.

Of a benchmark that can be run in parts, a part's findings are a page of their own.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from pathlib import Path

from benchmarks import measure

_TOOLS = {"__main__", "capped", "cuda_cases", "data", "independent", "measure", "resident_memory", "tsne_worker"}


def names() -> list[str]:
    """Return the names of all benchmarks."""
    return sorted(
        module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]) if module.name not in _TOOLS
    )


def main(chosen: list[str]) -> int:
    """Run ``chosen`` benchmarks (none: all); 1 if a target is missed, 2 if a name is unknown."""
    known = names()
    unknown = [name for name in chosen if name.partition(":")[0] not in known]
    if unknown:
        print(f"there is no benchmark {unknown[0]!r}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    missed = 0
    for name in chosen or known:
        print(f"running {name} ...", file=sys.stderr)
        module, _, part = name.partition(":")
        run = importlib.import_module(f"benchmarks.{module}").run
        try:
            findings = run(part) if part else run()
        except measure.NotHereError as reason:
            print(f"{name} was not run: {reason}", file=sys.stderr)
            missed += bool(chosen)
            continue
        page = re.sub(r"[^a-z0-9]+", "_", name.lower())
        print(measure.write(page, findings))
        missed += sum(not target.met for target in findings.targets)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
