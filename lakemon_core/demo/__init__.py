"""The whole of lakemon on real data: `lakemon demo`.

flights ──train──▶ registered model ──deploy──▶ endpoint ◀──traffic── requests, batches, late labels
                                                    └──────▶ one run a week ──▶ facts, incidents, mails
"""

from lakemon_core.demo.result import DemoResult
from lakemon_core.demo.story import play

__all__ = ["DemoResult", "play"]
