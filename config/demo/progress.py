"""Turn pip's many lines into one that moves, on a terminal; plain milestones elsewhere.

Standard library only; usage: pip install … | python3 config/demo/progress.py
"""

import sys


def main() -> None:
    """Count packages as pip collects them, and repeat whatever is no routine."""
    collected = 0
    live = sys.stdout.isatty()
    for line in sys.stdin:
        if line.startswith("Collecting "):
            collected += 1
            _show(
                f"  {collected} packages found",
                live=live,
                milestone=collected % 25 == 0,
            )
        elif line.startswith("Installing collected packages"):
            _show(
                f"  {collected} packages found, installing …", live=live, milestone=True
            )
        elif line.startswith(("ERROR", "WARNING: Retrying")):
            print(f"\n{line}", end="")
        elif line.startswith("Successfully installed"):
            print(f"\n  {len(line.split()) - 2} packages installed")


def _show(text: str, *, live: bool, milestone: bool) -> None:
    if live:
        print(f"\r{text}", end="", flush=True)
    elif milestone:
        print(text, flush=True)


if __name__ == "__main__":
    main()
