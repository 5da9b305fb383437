"""The keys of `databricks:` in an environment."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lakemon_core.ports import PluginConfig

WorkloadType = Literal[
    "CPU", "CPU_MEDIUM", "CPU_LARGE", "GPU_SMALL", "GPU_MEDIUM", "GPU_LARGE", "GPU_XLARGE", "GPU_XLARGE_8",
    "MULTIGPU_MEDIUM",
]  # fmt: skip


class DatabricksConfig(PluginConfig):
    """The keys of `databricks:` in an environment.

    Attributes:
        host: address of the workspace; default DATABRICKS_HOST or that of the profile.
        profile: of `~/.databrickscfg`; default DATABRICKS_CONFIG_PROFILE.
        auth_type: forces one way to sign in where several are configured.
        warehouse_id: SQL warehouse for tables and state; default DATABRICKS_WAREHOUSE_ID, or the only one.
        state_schema: schema of the ledger and of data profiling's own tables, in the environment's catalog.
        workload_type: compute of the endpoint, e.g. CPU or GPU_SMALL.
        tags: of the endpoint, beside our own.
        log_wait_seconds: how long a test request may take to appear in its payload table before it counts as
            pending; Databricks promises minutes, and at most about an hour.
        log_limit_seconds: how long after it was sent a test request may be missing before validate says that
            logging does not work; runs until then look for it again and send no new ones.
        call_seconds: limit of one call with all of its retries.
        statement_seconds: limit of one SQL statement.
        profiling_api: `data_quality`, `quality_monitors`, or `auto` for the newer one that the workspace has.
        assets_dir: folder of the workspace for the dashboards.
        failure_emails: told by Databricks when a refresh of its own fails, at most five.
        refresh_seconds: limit of one refresh of data profiling, with all of its waiting.
    """

    host: str = ""
    profile: str = ""
    auth_type: str = ""
    warehouse_id: str = ""
    state_schema: str = "lakemon"
    workload_type: WorkloadType = "CPU"
    tags: dict[str, str] = Field(default_factory=dict)
    log_wait_seconds: float = Field(default=600.0, ge=0)
    log_limit_seconds: float = Field(default=7200.0, ge=0)
    call_seconds: float = Field(default=120.0, gt=0)
    statement_seconds: float = Field(default=900.0, gt=0)
    profiling_api: Literal["auto", "data_quality", "quality_monitors"] = "auto"
    assets_dir: str = "/Workspace/Shared/lakemon"
    failure_emails: tuple[str, ...] = Field(default=(), max_length=5)
    refresh_seconds: float = Field(default=3600.0, gt=0)
