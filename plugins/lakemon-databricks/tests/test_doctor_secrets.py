"""Secrets of the workspace are found where neither the environment nor a file holds them."""

import pytest

from lakemon_core.domain.errors import UsageError


def test_a_secret_of_the_workspace_is_revealed_at_the_moment_of_use(signed_in, open_databricks):
    signed_in.secrets.put("smtp", "password", "s3cret")
    secrets = open_databricks().setup.secrets
    assert secrets.reveal("x${secret:smtp/password}") == "xs3cret"
    assert "s3cret" not in secrets.redact("it said s3cret")


def test_a_secret_that_is_nowhere_is_named_without_any_value(signed_in, open_databricks):
    signed_in.secrets.put("smtp", "password", "s3cret")
    with pytest.raises(UsageError, match=r"LM130 .*smtp/user"):
        open_databricks().setup.secrets.reveal("${secret:smtp/user}")
