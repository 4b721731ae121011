"""Peer review, compliance sign-off, their policies and signatures."""
