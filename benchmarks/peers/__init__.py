"""The comparison with peers: what is given to each of them, and nothing of ours.

Every peer runs in an environment of its own, so these modules import the peer and pandas only. Importing
this package, which comes before anything else, turns off what the peers would send home.
"""

from __future__ import annotations

import os

SILENT = {
    "NML_DISABLE_USAGE_LOGGING": "1",
    "WHYLOGS_NO_ANALYTICS": "1",
    "DO_NOT_TRACK": "1",
    "ITERATIVE_DO_NOT_TRACK": "1",
}
os.environ.update(SILENT)

TIMESTAMP, PREDICTION, PROBA, LABEL = "ts", "prediction", "proba", "label"
NUMERIC = [f"f{place:02}" for place in range(12)] + [f"i{place:02}" for place in range(6)]
CATEGORICAL = [f"c{place:02}" for place in range(4)]
FEATURES = NUMERIC + CATEGORICAL
"""The 22 features without many levels: the two texts of 50,000 levels are left out in favour of the peers."""
