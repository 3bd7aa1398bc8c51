"""Writes checkpoints with one library, and cases.json beside them.

write.py pyarrow|pandas|polars|duckdb <folder>

cases.json: [{"pair", "settings": [...flags], "actions": {table: "splice"|"align"}, "notes": [...]}]
"""

import json
import os
import sys

import writers


def main():
    library, folder = sys.argv[1], sys.argv[2]
    os.makedirs(folder, exist_ok=True)
    cases = list(writers.WRITERS[library](folder))
    with open(os.path.join(folder, "cases.json"), "w", encoding="utf-8") as file:
        json.dump(cases, file)


if __name__ == "__main__":
    main()
