"""Documents of every hostile kind, each as large as one likes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import GraphQLSyntaxError, Lexer, Source, TokenKind, get_introspection_query

from gql.limits import Limits

LONGEST: Final = 100_000
"""Bytes of a document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hostile:
    """What is sent, and what it is a kind of."""

    kind: str
    query: str
    variables: Mapping[str, Any] = field(default_factory=dict)


def many(field: str, count: int, *, name: str = "a") -> str:
    """The field under so many names."""
    return " ".join(f"{name}{at}: {field}" for at in range(count))


def repeated(part: str, count: int) -> str:
    return " ".join([part] * count)


def numbered(part: str, count: int) -> str:
    """The part with `#` replaced by each number."""
    return " ".join(part.replace("#", str(at)) for at in range(count))


def nested(opening: str, inner: str, closing: str, count: int) -> str:
    return opening * count + inner + closing * count


def chain(count: int, times: int = 1) -> str:
    """Fragments of which each asks `times` times for the next one."""
    links = [f"fragment f{at} on Query {{ {repeated(f'...f{at + 1}', times)} }}" for at in range(count)]
    return " ".join([*links, f"fragment f{count} on Query {{ __typename }} {{ ...f0 }}"])


def web(count: int) -> str:
    """Fragments of which each asks for all."""
    each = numbered("...f#", count)
    return " ".join(f"fragment f{at} on Query {{ {each} }}" for at in range(count)) + " { ...f0 }"


def ladder(count: int) -> str:
    """Fragments of which each asks for all later ones."""
    rungs = [
        f"fragment f{at} on Query {{ __typename {' '.join(f'...f{to}' for to in range(at + 1, count))} }}"
        for at in range(count)
    ]
    return " ".join(rungs) + " { ...f0 }"


def payment(id_literal: str) -> str:
    return f"{{ payment(id: {id_literal}) {{ id }} }}"


KINDS: Final[Mapping[str, Callable[[int], str]]] = {
    "directives": lambda n: f"{{ __typename {repeated('@include(if: true)', n)} }}",
    "unknown directives": lambda n: f"{{ __typename {repeated('@a', n)} }}",
    "a directive each": lambda n: f"{{ {repeated('__typename @skip(if: false)', n)} }}",
    "directives on variables": lambda n: f"query({numbered('$a#: Int @a @b', n)}) {{ __typename }}",
    "conflicting arguments": lambda n: f"{{ {numbered('payment(id: #) { id }', n)} }}",
    "conflicting arguments below": lambda n: (
        f"{{ viewer {{ {numbered('payments(first: #) { totalCount }', n)} }} }}"
    ),
    "conflicting fields": lambda n: f"{{ {numbered('a: payment(id: #) { id a: version }', n)} }}",
    "repeated leaves": lambda n: f"{{ viewer {{ {repeated('id', n)} }} }}",
    "repeated fields": lambda n: f"{{ {repeated('viewer { id }', n)} }}",
    "repeated fields below": lambda n: f"{{ viewer {{ {repeated('user { id }', n)} }} }}",
    "repeated fields in pages": lambda n: (
        f"{{ payments(first: 9) {{ nodes {{ {repeated('billingAccount { user { id } }', n)} }} }} }}"
    ),
    "aliases": lambda n: f"{{ {many('__typename', n)} }}",
    "aliases below": lambda n: f"{{ viewer {{ {many('payments(first: 1) { nodes { id } }', n)} }} }}",
    "aliased mutations": lambda n: f"mutation {{ {many('resync(input: {id: 1}) { errors { code } }', n)} }}",
    "unknown fields": lambda n: f"{{ {numbered('nonsense#', n)} }}",
    "nearly known fields": lambda n: f"{{ {numbered('paymens#', n)} }}",
    "a long field": lambda n: f"{{ {'a' * n} }}",
    "a long argument": lambda n: f"{{ payments({'a' * n}: 1) {{ totalCount }} }}",
    "a long type": lambda n: f"query($a: {'a' * n}) {{ ... on {'b' * n} {{ id }} }}",
    "a long name": lambda n: f"query {'a' * n} {{ __typename }}",
    "a long enum": lambda n: f"{{ payments(filter: {{status: {'A' * n}}}) {{ totalCount }} }}",
    "a comment": lambda n: f"#{'x' * n}\n{{ __typename }}",
    "comments": lambda n: "#\n" * n + "{ __typename }",
    "commas": lambda n: "," * n + "{ __typename }",
    "line feeds": lambda n: "\r\n" * n + "{ nothing }",
    "a string": lambda n: payment('"' + "x" * n + '"'),
    "escapes": lambda n: payment('"' + r"\u{1F600}\u0041\n" * n + '"'),
    "unicode": lambda n: payment('"' + "\U0001f600ß漢" * n + '"'),
    "an unknown character": lambda n: "{ __typename } " + "\U0001f600" * n,
    "a block string": lambda n: payment('"""' + "\n" * n + '  x"""'),
    "an indented block string": lambda n: payment('"""' + "\n  x" * n + '"""'),
    "escapes in a block string": lambda n: payment('"""' + r'\""" x' * n + '"""'),
    "an endless string": lambda n: '{ payment(id: "' + "x" * n,
    "an integer": lambda n: f"{{ payments(first: {'9' * n}) {{ totalCount }} }}",
    "a float": lambda n: f"{{ payments(first: 1e{'9' * n}) {{ totalCount }} }}",
    "fragments": lambda n: numbered("fragment f# on Query { __typename }", n) + " { __typename }",
    "spreads": lambda n: f"{{ {repeated('...f', n)} }} fragment f on Query {{ viewer {{ id }} }}",
    "a chain of fragments": chain,
    "doubling fragments": lambda n: chain(n, times=2),
    "fragments tenfold": lambda n: chain(n, times=10),
    "a web of fragments": web,
    "a ladder of fragments": ladder,
    "a cycle of fragments": lambda n: (
        numbered("fragment f# on Query { ...g }", n) + " fragment g on Query { ...f0 } { ...f0 }"
    ),
    "inline fragments": lambda n: f"{{ {repeated('... on Query { __typename }', n)} }}",
    "inline fragments in each other": lambda n: nested("{ ...", "{ __typename }", "}", n),
    "inline fragments of all types": lambda n: (
        f"{{ node(id: 1) {{ {repeated('... on Payment { id amount { minor } } ... on Plan { id }', n)} }} }}"
    ),
    "deep fields": lambda n: nested("{ viewer ", "{ id }", "}", n),
    "deep lists": lambda n: f"{{ nodes(ids: {nested('[', '', ']', n)}) {{ id }} }}",
    "deep objects": lambda n: f"{{ payments(filter: {nested('{a:', '1', '}', n)}) {{ totalCount }} }}",
    "deep types": lambda n: f"query($a: {nested('[', 'Int', ']', n)}) {{ __typename }}",
    "wide lists": lambda n: f"{{ nodes(ids: [{repeated('1', n)}]) {{ id }} }}",
    "wide lists of strings": lambda n: "{ nodes(ids: [" + repeated('"x"', n) + "]) { id } }",
    "wide lists of objects": lambda n: f"{{ payments(orderBy: [{repeated('{a: 1}', n)}]) {{ totalCount }} }}",
    "wide objects": lambda n: f"{{ payments(filter: {{{numbered('a#: 1', n)}}}) {{ totalCount }} }}",
    "repeated keys": lambda n: f"{{ payments(filter: {{{repeated('status: 1', n)}}}) {{ totalCount }} }}",
    "repeated arguments": lambda n: f"{{ payments({repeated('first: 1', n)}) {{ totalCount }} }}",
    "operations": lambda n: numbered("query q# { __typename }", n),
    "operations of one name": lambda n: repeated("query q { __typename }", n),
    "operations over one fragment": lambda n: (
        f"{numbered('query q# { ...f }', n)} fragment f on Query {{ {many('payments(first: $a) { totalCount }', 9)} }}"
    ),
    "operations over many variables": lambda n: (
        f"{repeated('query q { ...f }', n)} fragment f on Query {{ {numbered('payment(id: $a#) { id }', n)} }}"
    ),
    "variables": lambda n: f"query({numbered('$a#: Int', n)}) {{ __typename }}",
    "variables of one name": lambda n: f"query({repeated('$a: Int', n)}) {{ __typename }}",
    "defaults of variables": lambda n: f"query({numbered('$a#: [Int] = [1, 2, 3]', n)}) {{ __typename }}",
    "used variables": lambda n: (
        f"query({numbered('$a#: ID!', n)}) {{ {numbered('a#: payment(id: $a#) { id }', n)} }}"
    ),
    "definitions of types": lambda n: numbered("type T# { a: Int }", n),
    "extensions of types": lambda n: repeated("extend type Query @a { a: Int }", n),
    "deep introspection": lambda n: (
        f"{{ __schema {{ types {nested('{ fields { type', '{ name }', '}}', n)} }} }}"
    ),
    "introspection in aliases": lambda n: (
        f"{{ __schema {{ {many('types { fields { type { name } } }', n)} }} }}"
    ),
    "repeated introspection": lambda n: f"{{ {many('__schema { types { name fields { name } } }', n)} }}",
    "introspection of a type": lambda n: (
        "{ " + many('__type(name: "Query") { fields { type { fields { name } } } }', n) + " }"
    ),
    "open braces": lambda n: "{ viewer " * n,
    "closed braces": lambda n: "}" * n,
    "spaces": lambda n: "{ __typename }" + " " * n,
}

DEAR: Final[Mapping[str, Hostile]] = {
    each.kind: each
    for each in (
        Hostile(
            kind="the largest page with most of its fields",
            query="""{ payments(first: 100) { totalCount pageInfo { hasNextPage endCursor } edges { cursor node {
                __typename id uuid version status trigger livemode captureMethod description receiptUrl createdAt
                completedAt actions metadata amount { minor decimal currency exponent formatted }
                capturedAmount { minor decimal formatted } refundedAmount { minor formatted }
                refundableAmount { minor formatted } paymentMethod { id last4 brand state expYear }
                billingAccount { id user { id } } decline { code } } } } }""",
        ),
        Hostile(
            kind="all currencies, again and again",
            query=f"{{ {many('currencies { code exponent stepMinor minimum { minor decimal formatted } }', 20)} }}",
        ),
        Hostile(kind="introspection as tools do it", query=get_introspection_query()),
        Hostile(
            kind="introspection, twice",
            query=get_introspection_query().replace(
                "{\n      __schema", "{ again: __schema { ...S } __schema", 1
            ),
        ),
        Hostile(
            kind="ids without end",
            query="query($ids: [ID!]!) { nodes(ids: $ids) { id } }",
            variables={"ids": ["x"] * 20_000},
        ),
        Hostile(
            kind="variables of a wrong type",
            query="query($ids: [ID!]!) { nodes(ids: $ids) { id } }",
            variables={"ids": [{"a": at} for at in range(10_000)]},
        ),
        Hostile(
            kind="an enum that is nearly right",
            query="query($o: [PaymentOrder!]) { payments(orderBy: $o) { totalCount } }",
            variables={"o": [{"field": "CREATED_A", "direction": "ASC"}] * 3_000},
        ),
        Hostile(
            kind="a long text in variables",
            query="query($id: ID!) { payment(id: $id) { id } }",
            variables={"id": "x" * LONGEST},
        ),
        Hostile(
            kind="unknown variables",
            query="query($o: PaymentFilter) { payments(filter: $o) { totalCount } }",
            variables={"o": {f"a{at}": at for at in range(9_000)}},
        ),
        Hostile(
            kind="statements about access",
            query="""query($targets: [AccessTarget!]!, $id: ID!) {
                access(userId: $id, targets: $targets) { allowed reason explanation until remedies token } }""",
            variables={
                "id": "0195d1c5-0000-7000-8000-000000000001",
                "targets": [{"mediaItemId": f"film-{at}"} for at in range(100)],
            },
        ),
    )
}
"""What is not refused as it is, or only when it runs."""


def tokens(text: str, most: int) -> int:
    """How many tokens it has, counted up to `most`, or up to where it cannot be read."""
    lexer = Lexer(Source(text))
    count = 0
    try:
        while count < most and lexer.advance().kind is not TokenKind.EOF:
            count += 1
    except GraphQLSyntaxError:
        pass
    return count


def sized(kind: str, fits: Callable[[str], bool]) -> str | None:
    """The largest document of the kind that fits, give or take a hundredth; None where not even the smallest does."""
    make, low, high = KINDS[kind], 1, 2
    if not fits(make(low)):
        return None
    while fits(make(high)):
        low, high = high, high * 2
    while high - low > max(1, low // 100):
        middle = (low + high) // 2
        low, high = (middle, high) if fits(make(middle)) else (low, middle)
    return make(low)


def is_short_enough(text: str) -> bool:
    return len(text.encode()) <= LONGEST


def sizes(kind: str, limits: Limits, is_executed: Callable[[str], bool]) -> Iterator[Hostile]:
    """As many bytes as there may be, as many tokens as are read, and as much as is not refused."""

    def is_read(text: str) -> bool:
        return is_short_enough(text) and tokens(text, limits.tokens + 1) <= limits.tokens

    ways = {
        "100 KB": is_short_enough,
        f"{limits.tokens} tokens": is_read,
        "executed": lambda text: is_read(text) and is_executed(text),
    }
    for way, fits in ways.items():
        if query := sized(kind, fits):
            yield Hostile(kind=f"{kind}, {way}", query=query)
