"""E-mail alerts for lakemon over SMTP."""
