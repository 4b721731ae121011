"""Services that the demo and the tests start by themselves: PostgreSQL and Valkey from wheels.

Production brings its own; nothing outside `config.demo` and `tests` imports this package.
"""
