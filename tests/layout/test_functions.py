"""Rules about functions: length, and who owns a task."""

import ast
from collections.abc import Iterator

from tests.layout.source_files import Module, expect_none, modules

LINES_AT_MOST = 60
UNOWNED_TASKS = {"create_task", "ensure_future"}

OWNER = "# owned by "

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(module: Module) -> Iterator[Function]:
    """All functions of a module, methods and nested ones included."""
    return (node for node in ast.walk(module.tree) if isinstance(node, Function))


def body_lines(function: Function) -> int:
    """Lines from the first statement to the last; signature and docstring do not count."""
    statements = function.body[1:] if ast.get_docstring(function) else function.body
    if not statements:
        return 0
    return (statements[-1].end_lineno or statements[-1].lineno) - statements[0].lineno + 1


def test_functions_are_short() -> None:
    """No function body has more than 60 lines (aim for 10, stop at 40): split off what has a name of its own."""
    expect_none(
        f"{module.path}:{function.lineno}: {function.name} has {count} lines, at most {LINES_AT_MOST}"
        for module in modules()
        for function in functions(module)
        if (count := body_lines(function)) > LINES_AT_MOST
    )


def test_every_task_has_an_owner() -> None:
    """Tasks are made by a TaskGroup: nothing calls create_task on asyncio or on a loop, or ensure_future.

    Where no group can own one, the line says who does and how it ends: `# owned by ...`.
    """
    expect_none(
        f"{module.path}:{call.lineno}: {ast.unparse(call.func)} leaves a task without an owner; use a TaskGroup"
        for module in modules()
        for call in ast.walk(module.tree)
        if isinstance(call, ast.Call)
        and is_unowned_task(call)
        and OWNER not in module.text.splitlines()[call.lineno - 1]
    )


def is_unowned_task(call: ast.Call) -> bool:
    """Whether a call starts a task outside a TaskGroup: by a bare name, or on asyncio or on an event loop."""
    match call.func:
        case ast.Name(id=name):
            return name in UNOWNED_TASKS
        case ast.Attribute(attr="ensure_future"):
            return True
        case ast.Attribute(attr="create_task", value=owner):
            said = ast.unparse(owner)
            return said == "asyncio" or "loop" in said
    return False
