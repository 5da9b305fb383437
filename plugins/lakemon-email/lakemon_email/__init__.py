"""E-mail alerts for lakemon over SMTP."""

from lakemon_email.sink import EmailConfig, EmailSink

__all__ = ["EmailConfig", "EmailSink"]
