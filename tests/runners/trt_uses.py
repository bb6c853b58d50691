"""Everything that the program uses of `tensorrt` and `tensorrt_rtx`, read out of its source.

The program holds the module in a variable `trt`, and annotates what comes out of it (`engine: tensorrt.ICudaEngine`); so a walk over
the syntax trees finds every name, and every call with its arguments. Run as a script it prints them: the one list.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "trtviewer"
_MODULES = ("tensorrt", "tensorrt_rtx")
LEGACY = "legacy_int8.py"
"""The module that is entered only where `BuilderFlag.INT8` exists."""


@dataclass(frozen=True, order=True)
class Use:
    """One name that the program uses.

    Attributes:
        name: dotted, from the module on: "IExecutionContext.execute_async_v3".
        kind: "name", "call", "set" (assigned to) or "override" (a method of a subclass).
        positional, keywords: of a call; `positional` of an override: its parameters without self.
        where: "tensorrt" (every runtime), "tensorrt_rtx" (only that) or "legacy" (only where there is BuilderFlag.INT8).
        source: file and line.
    """

    name: str
    kind: str
    positional: int = 0
    keywords: tuple[str, ...] = ()
    where: str = "tensorrt"
    source: str = field(default="", compare=False)


@dataclass
class Uses:
    """`asked_for`: names that the program looks for by `hasattr` or `getattr` with a default before it uses them."""

    uses: set[Use] = field(default_factory=set)
    asked_for: set[str] = field(default_factory=set)


def uses_of_the_program() -> Uses:
    """Walks all of the program's modules that mention TensorRT."""
    found = Uses()
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text()
        if "tensorrt" in text and ("import tensorrt" in text or "trt." in text):
            _Module(path, ast.parse(text), found).walk()
    return found


class _Module:
    def __init__(self, path: Path, tree: ast.Module, found: Uses) -> None:
        self._path = path
        self._tree = tree
        self._found = found
        self._attributes = self._typed_attributes()

    def walk(self) -> None:
        self._scope(self._tree, {}, "legacy" if self._path.name == LEGACY else "tensorrt")

    def _scope(self, scope: ast.AST, known: dict[str, str], where: str) -> None:
        """One function (or the module): its own annotations, then every name in it; functions within see them too."""
        known = dict(known)
        if isinstance(scope, ast.FunctionDef):
            arguments = [*scope.args.posonlyargs, *scope.args.args, *scope.args.kwonlyargs]
            for argument in arguments:
                self._learn(known, argument.arg, argument.annotation)
            if any(_library(argument.annotation) == "tensorrt_rtx" for argument in arguments):
                where = "tensorrt_rtx"
        for node in _own_nodes(scope):
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                self._learn(known, node.target.id, node.annotation)
        for node in _own_nodes(scope):
            self._node(node, known, where)
        for node in _own_nodes(scope):
            if isinstance(node, ast.FunctionDef):
                self._scope(node, known, where)

    def _node(self, node: ast.AST, known: dict[str, str], where: str) -> None:
        if isinstance(node, ast.Call):
            self._asked(node, known)
            name = self._name(node.func, known)
            if name:
                keywords = tuple(sorted(item.arg or "**" for item in node.keywords))
                self._add(Use(name, "call", len(node.args), keywords, where, self._at(node)))
        elif isinstance(node, ast.Attribute):
            name = self._name(node, known)
            if name:
                kind = "set" if isinstance(node.ctx, ast.Store) else "name"
                self._add(Use(name, kind, where=where, source=self._at(node)))
        elif isinstance(node, ast.ClassDef):
            for base in node.bases:
                name = self._name(base, known)
                for method in node.body if name else []:
                    if isinstance(method, ast.FunctionDef) and not method.name.startswith("__"):
                        count = len(method.args.args) - 1
                        self._add(
                            Use(f"{name}.{method.name}", "override", count, (), where, self._at(method))
                        )

    def _asked(self, node: ast.Call, known: dict[str, str]) -> None:
        """`hasattr(trt, "X")`, `getattr(trt, "X", None)`: X need not be there."""
        if not isinstance(node.func, ast.Name) or node.func.id not in ("hasattr", "getattr"):
            return
        asked = node.args[1]
        holder = self._name(node.args[0], known)
        if isinstance(asked, ast.Constant) and (holder or self._is_module(node.args[0])):
            self._found.asked_for.add(f"{holder}.{asked.value}" if holder else str(asked.value))

    def _name(self, node: ast.AST, known: dict[str, str]) -> str:
        """The dotted name in TensorRT's module that an expression stands for; empty where it is none of it."""
        if isinstance(node, ast.Name):
            return known.get(node.id, "")
        if not isinstance(node, ast.Attribute):
            return ""
        if isinstance(node.value, ast.Name) and node.value.id == "self":
            return self._attributes.get(node.attr, "")
        if self._is_module(node.value):
            return "" if node.attr.startswith("__") else node.attr
        holder = self._name(node.value, known)
        # log_of(trt).native is the logger; `native` is ours, what is taken from it is not.
        return f"{holder}.{node.attr}" if holder else ""

    def _is_module(self, node: ast.AST) -> bool:
        return (isinstance(node, ast.Name) and node.id == "trt") or (
            isinstance(node, ast.Attribute) and node.attr == "trt"
        )

    def _learn(self, known: dict[str, str], name: str, annotation: ast.expr | None) -> None:
        kind = _class_of(annotation)
        if kind:
            known[name] = kind

    def _typed_attributes(self) -> dict[str, str]:
        """`self._engine: tensorrt.ICudaEngine | None` anywhere, and properties that give such a thing."""
        known: dict[str, str] = {}
        for node in ast.walk(self._tree):
            target = getattr(node, "target", None)
            if isinstance(node, ast.AnnAssign) and isinstance(target, ast.Attribute):
                self._learn(known, target.attr, node.annotation)
            if isinstance(node, ast.FunctionDef) and any(
                isinstance(item, ast.Name) and item.id == "property" for item in node.decorator_list
            ):
                self._learn(known, node.name, node.returns)
        return known

    def _add(self, use: Use) -> None:
        if use.name.rpartition(".")[2] != "__members__" and "__init__" not in use.name:
            self._found.uses.add(use)

    def _at(self, node: ast.AST) -> str:
        return f"{self._path.relative_to(PACKAGE.parent)}:{getattr(node, 'lineno', 0)}"


def _own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """All nodes within a scope, without those of functions within it; those functions themselves are among them."""
    stack = list(ast.iter_child_nodes(scope))
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, ast.FunctionDef):
            stack.extend(ast.iter_child_nodes(node))


def _class_of(annotation: ast.expr | None) -> str:
    """`tensorrt.ICudaEngine` or `tensorrt.ICudaEngine | None` as "ICudaEngine"."""
    if isinstance(annotation, ast.BinOp):
        return _class_of(annotation.left) or _class_of(annotation.right)
    if isinstance(annotation, ast.Attribute) and _library(annotation):
        return annotation.attr
    return ""


def _library(annotation: ast.expr | None) -> str:
    value = annotation.value if isinstance(annotation, ast.Attribute) else None
    return value.id if isinstance(value, ast.Name) and value.id in _MODULES else ""


if __name__ == "__main__":
    found = uses_of_the_program()
    for use in sorted(found.uses):
        call = (
            f"({use.positional}{', ' if use.keywords else ''}{', '.join(use.keywords)})"
            if use.kind == "call"
            else ""
        )
        print(f"{use.where:14}{use.kind:10}{use.name}{call}   {use.source}")
    print("asked for first:", ", ".join(sorted(found.asked_for)))
