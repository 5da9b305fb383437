"""Signed webhooks for lakemon, by Standard Webhooks and CloudEvents."""

from lakemon_webhook.sink import WebhookConfig, WebhookSink

__all__ = ["WebhookConfig", "WebhookSink"]
