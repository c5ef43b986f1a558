# SPDX-License-Identifier: Apache-2.0
"""Owns the outer text of SPL in the tests: macros, comments, the pipe, and words in quotes or brackets.

Authority: Splunk's Search Manual (Use search macros, Add comments) and macros.conf.spec.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Optional

from tests.spl.eval import compile_expression
from tests.spl.values import SplError

CLOSING = {"(": ")", "[": "]"}
DEPTH = 20


def split_outside(text: str, separator: str) -> list[str]:
    """Return the parts between separators (a blank is any white space) outside quotes and brackets."""
    parts, open_brackets, position = [""], [], 0
    while position < len(text):
        piece = next_piece(text, position)
        position += len(piece)
        if piece in CLOSING:
            open_brackets.append(CLOSING[piece])
        elif piece in CLOSING.values() and (not open_brackets or open_brackets.pop() != piece):
            raise SplError(f"{piece} closes nothing in {text!r}")
        if not open_brackets and (piece == separator or (separator == " " and piece.isspace())):
            parts.append("")
        else:
            parts[-1] += piece
    if open_brackets:
        raise SplError(f"{open_brackets[-1]} is missing in {text!r}")
    return [part.strip() for part in parts]


def next_piece(text: str, position: int) -> str:
    """Return the next character, or all that stands in double quotes."""
    if text[position] != '"':
        return text[position]
    match = re.compile(r'"(?:[^"\\]|\\.)*"', re.S).match(text, position)
    if match is None:
        raise SplError(f"quotes that are never closed: {text[position:]!r}")
    return match[0]


def words_of(text: str) -> list[str]:
    """Return the words of a command, with blanks or commas between them."""
    return [word for part in split_outside(text, " ") for word in split_outside(part, ",") if word]


def name_of(word: str) -> str:
    """Return a field name; in quotes it may hold anything but wildcards."""
    name = word[1:-1] if re.fullmatch(r'"[^"\\*]+"', word) else word
    if name is word and not re.fullmatch(r"[A-Za-z_][\w.{}:@#-]*", word):
        raise SplError(f"unsupported field name {word!r}")
    return name


def pattern_of(word: str) -> str:
    """Return a field name that may have wildcards."""
    return word if re.fullmatch(r"[\w.{}:@#*-]*\*[\w.{}:@#*-]*", word) else name_of(word)


def take_options(words: list[str], allowed: str) -> tuple[dict[str, str], list[str]]:
    """Return the options `name=value` among words, and the other words; an option that is not allowed is refused."""
    options, rest = {}, []
    for word in words:
        match = re.fullmatch(r'([A-Za-z_]+)=("[^"\\]*"|[^"=]+)', word, re.S)
        if match is None:
            rest.append(word)
        elif match[1] not in allowed.split() or match[1] in options:
            raise SplError(f"option {word!r} is not known here")
        else:
            options[match[1]] = match[2].strip('"')
    return options, rest


def truth_of(options: Mapping[str, str], name: str, default: bool) -> bool:
    """Return an option that is true or false."""
    words = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
    value = options.get(name)
    if value is None:
        return default
    if value.lower() not in words:
        raise SplError(f"{name}={value} is neither true nor false")
    return words[value.lower()]


def unwrap(word: str) -> str:
    """Return the pipeline within square brackets."""
    if not (word.startswith("[") and word.endswith("]")):
        raise SplError(f"square brackets expected: {word!r}")
    return word[1:-1].strip()


def split_pipeline(query: str) -> list[str]:
    """Return the commands of a search; without a leading pipe the first one is search."""
    commands = split_outside(query, "|")
    if commands[0] == "":
        commands.pop(0)
    elif not re.match(r"search\b(?!\s*[!=<>])", commands[0]):
        commands[0] = f"search {commands[0]}"
    if not commands or "" in commands:
        raise SplError(f"a command is missing: {query!r}")
    return commands


def split_command(text: str) -> tuple[str, str]:
    match = re.match(r"([a-z]+)(?=[\s\[(\"'*]|$)", text)
    if match is None:
        raise SplError(f"no command: {text!r}")
    return match[1], text[match.end() :].strip()


def arguments_of(text: str) -> list[str]:
    """Return the arguments of a command of ours without their quotes, as splunkd hands them over."""
    if "\\" in text:
        raise SplError(f"a backslash in the arguments {text!r}")
    return [word.replace('"', "") for word in split_outside(text, " ") if word]


# -- macros


class Macros:
    """The macros of the app, with definitions of one's own in place of some of them."""

    def __init__(self, stanzas: Mapping[str, Mapping[str, str]], local: Optional[Mapping[str, str]] = None) -> None:
        self.stanzas, self.local = stanzas, dict(local or {})

    def expand(self, text: str) -> str:
        """Return SPL without comments and with all macros in place, also those within macros."""
        for _ in range(DEPTH):
            text = re.sub(r"```.*?```", " ", text, flags=re.S)
            if "`" not in text:
                return text
            text = self.expand_once(text)
        raise SplError(f"macros that never end: {text!r}")

    def expand_once(self, text: str) -> str:
        parts, position = [], 0
        while position < len(text):
            piece = next_piece(text, position)
            if piece == "`":
                piece = text[position : text.find("`", position + 1) + 1]
                parts.append(self.call(piece))
            elif "`" in piece:
                raise SplError(f"a macro within quotes: {piece}")
            else:
                parts.append(piece)
            position += len(piece) or len(text)
        return "".join(parts)

    def call(self, text: str) -> str:
        """Return what stands for `name` or `name(argument, ...)`; quotes around an argument do not belong to it."""
        match = re.fullmatch(r"`\s*(\w+)\s*(?:\((.*)\))?\s*`", text, re.S)
        if match is None:
            raise SplError(f"no macro: {text!r}")
        given = [strip_quotes(argument) for argument in split_outside(match[2], ",")] if match[2] else []
        key = f"{match[1]}({len(given)})" if given else match[1]
        if key not in self.stanzas and key not in self.local:
            raise SplError(f"unknown macro {key}")
        stanza = self.stanzas.get(key, {})
        names = [name.strip() for name in stanza.get("args", "").split(",") if name.strip()]
        if len(names) != len(given) or stanza.get("iseval", "0") not in ("0", "false"):
            raise SplError(f"macro {key}: args or iseval")
        return self.definition(key, stanza, dict(zip(names, given)))

    def definition(self, key: str, stanza: Mapping[str, str], values: Mapping[str, str]) -> str:
        validation = fill(stanza.get("validation", ""), values)
        if validation and compile_expression(validation, 0)({}) is not True:
            raise SplError(stanza.get("errormsg", f"macro {key}: the arguments are not allowed"))
        return fill(self.local.get(key, stanza.get("definition", "")), values)


def strip_quotes(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def fill(text: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\$(\w+)\$", lambda match: values.get(match[1], match[0]), text)
