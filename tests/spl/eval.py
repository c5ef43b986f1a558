# SPDX-License-Identifier: Apache-2.0
"""Owns the expressions of eval and where in the tests: their syntax, precedence, and what null does in them.

Authority: Splunk's Search Reference (eval, where) and Search Manual (Boolean expressions: parentheses, NOT, AND, OR, XOR).
Refused where it is silent: `.` beside another operator without parentheses, NOT or XOR of null, names that need quotes.
"""

from __future__ import annotations

import re
from typing import Any, Callable, NamedTuple, Optional

from tests.spl.functions import call_function, check_arity
from tests.spl.values import Num, Row, SplError, Value, calculate, compare, parse_number, values_of

Expression = Callable[[Row], Value]


class Token(NamedTuple):
    kind: str
    text: str


TOKENS = re.compile(
    r"""\s*(?:
      (?P<number>\d+(?:\.\d+)?(?![\w.]))
    | (?P<text>"(?:[^"\\]|\\.)*")
    | (?P<quoted>'[^'\\]+')
    | (?P<name>[A-Za-z_]\w*)
    | (?P<sign>==|!=|<=|>=|[-=<>+*/%.(),])
    | (?P<end>$)
    )""",
    re.X | re.S | re.A,
)
#: Behind a name, what makes it a name that needs quotes. Without them the dot joins two fields, which nobody means when
#: no blank stands around it; behind a name and in front of a function it is meant.
DOTTED = re.compile(r"\.(?!\w+\()\w|[{:@$]")
KEYWORDS = {"AND", "OR", "NOT", "XOR"}
COMPARISONS = ("=", "==", "!=", "<", "<=", ">", ">=")


def tokenize(text: str) -> list[Token]:
    tokens, position = [], 0
    while True:
        match = TOKENS.match(text, position)
        if match is None:
            raise SplError(f"cannot read {text[position:]!r}")
        if match.lastgroup == "end":
            return tokens
        kind = str(match.lastgroup)
        if kind == "name" and DOTTED.match(text, match.end()):
            raise SplError(f"a field name such as {text[match.start() :].split()[0]!r} needs single quotes in eval")
        tokens.append(Token(kind, match[kind]))
        position = match.end()


def unquote(text: str) -> str:
    """Return what a text in double quotes says; a backslash stays in front of all but a quote and a backslash."""
    if re.search(r"\\[nrt]", text.replace("\\\\", "")):
        raise SplError(f"whether Splunk reads an escape in {text} is not certain")
    return re.sub(r'\\(["\\])', r"\1", text[1:-1])


class Parser:
    """Reads one expression, or assignments with commas between them, into functions of a row."""

    def __init__(self, text: str, now: float) -> None:
        self.text, self.now = text, now
        self.tokens, self.position = tokenize(text), 0

    # -- tokens

    def peek(self) -> Token:
        return self.tokens[self.position] if self.position < len(self.tokens) else Token("end", "")

    def take(self) -> Token:
        token = self.peek()
        self.position += 1
        return token

    def accept(self, *signs: str) -> Optional[str]:
        """Take the next token if it is one of the signs or keywords."""
        token = self.peek()
        if token.kind in ("sign", "name") and token.text in signs:
            return self.take().text
        return None

    def expect(self, sign: str) -> None:
        if not self.accept(sign):
            raise self.error(f"{sign} expected")

    def error(self, what: str) -> SplError:
        return SplError(f"{what}, found {self.peek().text or 'the end'!r} in {self.text!r}")

    # -- whole arguments

    def whole(self) -> Expression:
        """Return the expression that is all of the text."""
        expression = self.exclusive()
        if self.peek().kind != "end":
            raise self.error("an operator or the end expected")
        return expression

    def assignments(self) -> list[tuple[str, Expression]]:
        found = [self.assignment()]
        while self.accept(","):
            found.append(self.assignment())
        if self.peek().kind != "end":
            raise self.error("a comma or the end expected")
        return found

    def assignment(self) -> tuple[str, Expression]:
        kind, text = self.take()
        if kind not in ("name", "quoted", "text"):
            raise self.error(f"{text!r} cannot be assigned to")
        if "{" in text or (kind == "text" and "\\" in text):
            raise SplError(f"an assignment to {text}")
        self.expect("=")
        return (text if kind == "name" else text[1:-1]), self.exclusive()

    # -- Boolean operators, the loosest first

    def exclusive(self) -> Expression:
        left = self.either()
        while self.accept("XOR"):
            left = exclusive_or(left, self.either())
        return left

    def either(self) -> Expression:
        left = self.both()
        while self.accept("OR"):
            left = connect(left, self.both(), True)
        return left

    def both(self) -> Expression:
        left = self.negation()
        while self.accept("AND"):
            left = connect(left, self.negation(), False)
        return left

    def negation(self) -> Expression:
        return negate(self.negation()) if self.accept("NOT") else self.comparison()

    def comparison(self) -> Expression:
        left = self.arithmetic()
        operator = self.accept(*COMPARISONS, "LIKE", "like", "IN", "in")
        if operator is None:
            return left
        if operator in ("IN", "in"):
            return apply("in", [left, *self.arguments()])
        right = self.arithmetic()
        if self.peek().text in COMPARISONS:
            raise self.error("a comparison of a comparison")
        if operator in ("LIKE", "like"):
            return apply("like", [left, right])
        return lambda row: compare(operator, left(row), right(row))

    # -- arithmetic

    def arithmetic(self) -> Expression:
        operands, operators = [self.signed()], []
        while True:
            operator = self.accept("+", "-", "*", "/", "%", ".")
            if operator is None:
                break
            operators.append(operator)
            operands.append(self.signed())
        if "." in operators and set(operators) != {"."}:
            raise SplError(f"whether . or {'/'.join(operators)} comes first is not documented; use parentheses")
        return fold(*fold_strong(operands, operators))

    def signed(self) -> Expression:
        if self.accept("-"):
            operand = self.signed()
            return lambda row: calculate("-", Num(0), operand(row))
        return self.primary()

    def primary(self) -> Expression:
        kind, text = self.take()
        if kind == "number":
            return constant(parse_number(text))
        if kind == "text":
            return constant(unquote(text))
        if kind == "quoted":
            return field(text[1:-1])
        if text == "(" and kind == "sign":
            inner = self.exclusive()
            self.expect(")")
            return inner
        return self.name(kind, text)

    def name(self, kind: str, text: str) -> Expression:
        if kind != "name" or text in KEYWORDS:
            self.position -= 1
            raise self.error("a value expected")
        if self.peek() == Token("sign", "("):
            return self.call(text)
        if text.lower() in ("null", "true", "false", "and", "or", "not", "xor"):
            raise SplError(f"{text!r} as a field name in {self.text!r}")
        return field(text)

    def arguments(self) -> list[Expression]:
        self.expect("(")
        found: list[Expression] = []
        while not self.accept(")"):
            if found:
                self.expect(",")
            found.append(self.exclusive())
        return found

    def call(self, name: str) -> Expression:
        arguments = self.arguments()
        if name in ("now", "time"):
            if arguments:
                raise SplError(f"{name}() takes no argument")
            return constant(Num(self.now))
        return LAZY[name](arguments) if name in LAZY else apply(name, arguments)


def constant(value: Value) -> Expression:
    return lambda row: value


def field(name: str) -> Expression:
    return lambda row: row.get(name)


def fold_strong(operands: list[Expression], operators: list[str]) -> tuple[list[Expression], list[str]]:
    """Join what * / % connect, and leave + and - over."""
    left, weak = [operands[0]], []
    for operator, operand in zip(operators, operands[1:]):
        if operator in "*/%":
            left[-1] = operation(operator, left[-1], operand)
        else:
            weak.append(operator)
            left.append(operand)
    return left, weak


def fold(operands: list[Expression], operators: list[str]) -> Expression:
    result = operands[0]
    for operator, operand in zip(operators, operands[1:]):
        result = operation(operator, result, operand)
    return result


def operation(operator: str, left: Expression, right: Expression) -> Expression:
    return lambda row: calculate(operator, left(row), right(row))


def apply(name: str, arguments: list[Expression]) -> Expression:
    check_arity(name, len(arguments))
    return lambda row: call_function(name, [argument(row) for argument in arguments])


def truth(value: Value) -> Optional[bool]:
    if value is None or isinstance(value, bool):
        return value
    raise SplError(f"a condition is not true or false but {value!r}")


def connect(left: Expression, right: Expression, decides: bool) -> Expression:
    """OR is decided by true, AND by false; null is neither, and behind the deciding value nothing is evaluated."""

    def run(row: Row) -> Value:
        first = truth(left(row))
        if first is decides:
            return decides
        second = truth(right(row))
        return second if second is decides or first is not None else None

    return run


def exclusive_or(left: Expression, right: Expression) -> Expression:
    return lambda row: known(left(row), "XOR") != known(right(row), "XOR")


def negate(operand: Expression) -> Expression:
    return lambda row: not known(operand(row), "NOT")


def known(value: Value, what: str) -> bool:
    """What NOT and XOR make of null is not documented."""
    result = truth(value)
    if result is None:
        raise SplError(f"{what} of null in eval or where is not documented; test with isnull() first")
    return result


# -- functions that leave arguments unevaluated


def choose(arguments: list[Expression]) -> Expression:
    if len(arguments) != 3:
        raise SplError(f"if() with {len(arguments)} arguments")
    condition, then, otherwise = arguments
    return lambda row: then(row) if truth(condition(row)) else otherwise(row)


def pairs_of(name: str, arguments: list[Expression]) -> list[tuple[Expression, Expression]]:
    if not arguments or len(arguments) % 2:
        raise SplError(f"{name}() with {len(arguments)} arguments")
    return list(zip(arguments[::2], arguments[1::2]))


def case(arguments: list[Expression]) -> Expression:
    """The value of the first condition that is true."""
    pairs = pairs_of("case", arguments)
    return lambda row: next((value(row) for condition, value in pairs if truth(condition(row))), None)


def validate(arguments: list[Expression]) -> Expression:
    """The value of the first condition that is false."""
    pairs = pairs_of("validate", arguments)
    return lambda row: next((value(row) for test, value in pairs if not known(test(row), "validate()")), None)


def coalesce(arguments: list[Expression]) -> Expression:
    if not arguments:
        raise SplError("coalesce() without arguments")
    return lambda row: next((value for value in (argument(row) for argument in arguments) if value is not None), None)


LAZY: dict[str, Callable[[list[Expression]], Expression]] = {
    "if": choose,
    "case": case,
    "validate": validate,
    "coalesce": coalesce,
}


def compile_expression(text: str, now: float) -> Expression:
    """Return the expression of where, or of eval within stats, as a function of a row."""
    return Parser(text, now).whole()


def compile_assignments(text: str, now: float) -> list[tuple[str, Expression]]:
    """Return the assignments of eval."""
    return Parser(text, now).assignments()


def assignable(name: str, value: Value) -> Any:
    """Return a value that eval may store; truth values it may not."""
    if isinstance(value, bool):
        raise SplError(f"eval cannot assign true or false to {name!r}")
    return value if len(values_of(value)) else None
