"""Prints a training log as Markdown tables: the losses at some points, and every evaluation."""

import argparse
import json


def rows(entries, count):
    """About `count` entries, evenly spread, with the last."""
    if len(entries) <= count:
        return entries
    return [entries[round(i * (len(entries) - 1) / (count - 1))] for i in range(count)]


def table(columns, lines):
    """A Markdown table."""
    print("| " + " | ".join(columns) + " |\n|" + "---|" * len(columns))
    for line in lines:
        print("| " + " | ".join(line) + " |")
    print()


def shown(value):
    """A value as text."""
    return f"{value:.2f}" if isinstance(value, float) else str(value) if value is not None else ""


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", help="log.jsonl of a training")
    parser.add_argument("--rows", type=int, default=16)
    options = parser.parse_args()
    with open(options.log, encoding="utf-8") as lines:
        entries = [json.loads(line) for line in lines]
    losses = [entry for entry in entries if "evaluation" not in entry]
    columns = ["minutes", "pictures", "size", "per_second", "scale", "words", "captions", "names"]
    table(columns, [[shown(entry.get(c)) for c in columns] for entry in rows(losses, options.rows)])
    evaluations = [entry for entry in entries if "evaluation" in entry]
    if evaluations:
        keys = [k for k, v in evaluations[-1]["evaluation"].items() if not isinstance(v, dict)]
        table(["minutes", "size", *keys],
              [[shown(e["minutes"]), shown(e["size"]), *(shown(e["evaluation"].get(k)) for k in keys)] for e in evaluations])


if __name__ == "__main__":
    main()
