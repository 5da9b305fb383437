"""How much memory measuring may take, as a config says it."""

import pytest

from lakemon_core.config import load
from lakemon_core.domain.errors import ConfigErrors


def config(memory: str) -> str:
    return f"environments: {{dev: {{catalog: c, schema: s, monitoring: {{memory: {memory}}}}}}}"


def test_two_gigabytes_are_the_default(config_file):
    monitor = load(config_file("environments: {dev: {catalog: c, schema: s}}")).monitor
    assert monitor.monitoring.memory == 2 * 10**9


@pytest.mark.parametrize(
    ("written", "size"), [("512 MB", 512 * 10**6), ("1.5 GB", 1_500_000_000), ("8GB", 8 * 10**9)]
)
def test_a_size_is_written_in_megabytes_or_gigabytes(config_file, written, size):
    assert load(config_file(config(written))).monitor.monitoring.memory == size


@pytest.mark.parametrize(("written", "why"), [("100 MB", "at least 512 MB"), ("lots", "e.g. 2 GB")])
def test_a_size_that_is_too_small_or_none_is_refused(config_file, written, why):
    with pytest.raises(ConfigErrors, match=rf"monitoring\.memory.*{why}"):
        load(config_file(config(written)))
