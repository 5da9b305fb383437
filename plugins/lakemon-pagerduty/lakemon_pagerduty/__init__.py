"""PagerDuty alerts for lakemon through Events API v2."""
