"""``python -m gradus``: the same as ``gradus``."""

import sys

from gradus.cli import main

if __name__ == "__main__":
    sys.exit(main())
