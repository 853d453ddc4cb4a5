"""YAML as plain data: no objects, no key twice, and nothing that grows beyond what is written."""

import re
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

LARGEST_TEXT = 200_000  # characters; more would take minutes to read
LARGEST = 10_000  # values, each counted as often as aliases repeat it
LONGEST = 100  # characters of a number
KINDS = ("null", "bool", "int", "float", "str", "timestamp", "seq", "map", "merge")
OCTAL = re.compile(r"[-+]?0[0-9_]+")
PLAIN = {f"tag:yaml.org,2002:{kind}" for kind in KINDS}


class PlainYAMLError(ValueError):
    """Text that is no YAML, or more than plain data; the message is one line and names the place."""


def parse(text: str) -> Any:
    """Return the content of a document: dictionaries, lists, texts, numbers, dates.

    Raises:
        PlainYAMLError: the text is no YAML, asks for an object, repeats a key, refers to itself, or is longer than
            200,000 characters or 10,000 values once its aliases are written out.
    """
    if len(text) > LARGEST_TEXT:
        raise PlainYAMLError(f"it has more than {LARGEST_TEXT:,} characters")
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _size(node, {})
        return loader.construct_document(node)
    except RecursionError:
        raise PlainYAMLError("it is nested too deeply") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}: " if mark else ""
        raise PlainYAMLError(where + " ".join(str(error.problem or error.context).split())) from None
    except yaml.YAMLError as error:
        raise PlainYAMLError(" ".join(str(error).split())) from None


class _Loader(yaml.SafeLoader):
    def construct_object(self, node: Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (yaml.YAMLError, PlainYAMLError, RecursionError):
            raise
        except Exception:  # a text that is not what its tag says fails in many ways
            raise _wrong(node, f"{str(node.value)[:LONGEST]!r} is no {node.tag.rpartition(':')[2]}") from None


def _size(node: Node, sizes: dict[int, int]) -> int:
    """Return the number of values in a node with its aliases written out; 0 in `sizes` marks those being counted."""
    if id(node) in sizes:
        if not sizes[id(node)]:
            raise _wrong(node, "it refers to itself")
        return sizes[id(node)]
    sizes[id(node)] = 0
    size = 1 + sum(_size(part, sizes) for part in _parts(node))
    if size > LARGEST:
        raise _wrong(node, f"it has more than {LARGEST:,} values, with those that aliases repeat")
    sizes[id(node)] = size
    return size


def _parts(node: Node) -> list[Node]:
    if node.tag not in PLAIN:
        raise _wrong(node, f"the tag {node.tag[:LONGEST]} asks for more than plain data; take it out")
    if isinstance(node, MappingNode):
        _check_keys(node)
        return [part for pair in node.value for part in pair]
    if isinstance(node, SequenceNode):
        return list(node.value)
    _check_number(node)
    return []


def _check_number(node: Node) -> None:
    if node.tag.endswith((":int", ":float")) and len(node.value) > LONGEST:
        raise _wrong(node, f"a number has {len(node.value)} characters")
    if node.tag.endswith(":int") and OCTAL.fullmatch(node.value):
        raise _wrong(node, f"YAML reads {node.value} as octal; put a name in quotes, and leave out the 0 of a number")


def _check_keys(node: MappingNode) -> None:
    seen = set()
    for key, _ in node.value:
        if not isinstance(key, ScalarNode):
            raise _wrong(key, "a key must be a name")
        if (key.tag, key.value) in seen:
            raise _wrong(key, f"the key {key.value[:LONGEST]} stands there twice; remove one of them")
        seen.add((key.tag, key.value))


def _wrong(node: Node, message: str) -> PlainYAMLError:
    return PlainYAMLError(f"line {node.start_mark.line + 1}: {message}")
