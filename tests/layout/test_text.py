"""Rules about text: what the project says must hold on any machine."""

import re

from tests.layout.source_files import ROOT, expect_none, tracked_files

TEXT_SUFFIXES = {".py", ".md", ".toml", ".yaml", ".yml", ".proto", ".sh", ".txt", ".lock", ".tsv", ".json", ""}
# Written in pieces, so that this file does not find itself.
FOREIGN = re.compile("|".join(["/wor" + "k/", r"\.\./sha" + "red", "k8s-" + "facts"]))
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")


def matching_lines(pattern: re.Pattern[str], suffixes: set[str]) -> list[str]:
    """`path:line: text` for every line of a tracked text file that matches."""
    return [
        f"{path}:{number}: {line.strip()[:100]}"
        for path in tracked_files()
        if path.suffix in suffixes
        for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_path_of_one_machine() -> None:
    """Nothing names a folder outside the checkout: what the project needs it holds itself."""
    expect_none(matching_lines(FOREIGN, TEXT_SUFFIXES))


def test_nothing_is_left_to_do() -> None:
    """No marker of unfinished work: what is missing stands in docs/status.md, or is done."""
    expect_none(matching_lines(UNFINISHED, {".py", ".proto", ".sh"}))
