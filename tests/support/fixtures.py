"""Fixtures of the slower parts: data cluster, kernel host, Celery worker, site, browser."""
