"""The kernel host: starts, confines, meters and kills one kernel per run.

It is a process of its own that holds no secret. It imports no Django and none
of Countersign's applications; it speaks JSON lines over one unix socket.
"""
