"""
``python -m lambda_kit``: the command line without the console script.
"""

from __future__ import annotations

from lambda_kit._tools import main

if __name__ == "__main__":  # pragma: no branch  # nothing imports this module
    main()
