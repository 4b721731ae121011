"""`python -m config.demo.hospital`: build both databases; what is wanted comes as JSON on stdin.

A process of its own: what invents a hospital takes a second to import, and a start of the demo
that has its hospital need not wait for that.
"""

import json
import sys

from config.demo.hospital.build import build_all


def say(sentence: str) -> None:
    """Tell one thing that happened."""
    print(f"    {sentence}", flush=True)


if __name__ == "__main__":
    build_all(**json.load(sys.stdin), say=say)
