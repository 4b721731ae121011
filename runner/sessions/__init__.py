"""Live sessions: the page, its socket, and the worker that keeps the kernel."""
