"""The section ``monitor``: its HTTP address, thresholds and alerts."""

from __future__ import annotations

import msgspec

from shared.config.alerts import Alerts, Webhook


class Monitor(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The monitor's HTTP address, supervisord's socket, and the thresholds of warnings.

    A process above ``memory_threshold_mb`` collects garbage and warns; above ``memory_limit_mb`` it restarts in order.
    ``cpu_percent`` and ``memory_percent`` are of the machine, ``disk_free_mb`` of the disk that holds ``data/``,
    ``rate_free_percent`` of a pair's order counter. ``alerts`` has the rule for each kind of trouble; ``webhooks`` are
    further receivers of alerts.
    """

    host: str = "127.0.0.1"
    port: int = 8181
    web_port: int = 8501
    supervisor: str = "run/supervisor.sock"
    slow_operation_s: float = 1.0
    memory_threshold_mb: float = 512
    memory_limit_mb: float = 1024
    cpu_percent: float = 90
    memory_percent: float = 90
    disk_free_mb: float = 500
    rate_free_percent: float = 20
    alerts: Alerts = msgspec.field(default_factory=Alerts)
    webhooks: list[Webhook] = msgspec.field(default_factory=list)
