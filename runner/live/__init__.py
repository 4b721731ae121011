"""Live sessions: what a reader's page and the kernel behind it may say to each other."""
