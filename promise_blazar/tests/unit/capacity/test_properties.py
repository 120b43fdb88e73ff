# SPDX-License-Identifier: Apache-2.0
"""Column by column is as host by host: the same answers, of any query about any properties."""

import json
import unittest

from hypothesis import given
from hypothesis import strategies as st

from promise_blazar.capacity.hosts import HostArrays, LedgerHost
from promise_blazar.capacity.properties import PropertyColumns
from promise_blazar.capacity.resource_query import MAX_COMPARISONS, MAX_LENGTH, parse
from promise_blazar.tests.unit.capacity import worlds

NAMES = ("gpu", "rank", "zone")
numbers = st.one_of(
    st.integers(-3, 12),
    st.integers(2**53 - 2, 2**53 + 2),
    st.integers(2**62 - 1, 2**62 + 1),
    st.sampled_from([0.5, 8.0, 1e300, -1.5, float(2**53)]),
)
texts = st.sampled_from(
    [
        "8",
        "8.0",
        "08",
        "1e1",
        "10",
        "true",
        "True",
        "FALSE",
        "x86_64",
        "X86",
        "",
        "NaN",
        "1_0",
        "٣",
    ]
)
said = st.one_of(numbers, texts, st.booleans(), st.none(), st.text(max_size=3), numbers.map(str))
hosts = st.lists(st.dictionaries(st.sampled_from(NAMES), said, max_size=3), min_size=1, max_size=6)
comparisons = st.tuples(
    st.sampled_from(["=", "==", "!=", "<", "<=", ">", ">="]),
    st.sampled_from(["$gpu", "$rank", "$zone", "$unknown"]),
    st.one_of(numbers, texts, st.booleans(), st.text(max_size=3)),
).map(list)
queries = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        inner.map(lambda part: ["not", part]),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: ["and", *parts]),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: ["or", *parts]),
    ),
    max_leaves=6,
)


class ColumnsTest(unittest.TestCase):
    @worlds.exact(600)
    @given(hosts, queries)
    def test_a3_all_hosts_at_once_are_judged_as_each_by_itself(self, properties, query):
        parsed = parse(json.dumps(query))
        columns = PropertyColumns()
        columns.size = len(properties)
        for slot, values in enumerate(properties):
            columns.put(slot, values)
        self.assertEqual(
            [parsed.matches(values) for values in properties], parsed.accepts(columns).tolist()
        )

    @worlds.exact(200)
    @given(st.lists(st.tuples(st.integers(1, 4), hosts), min_size=1, max_size=5), queries)
    def test_a3_also_where_hosts_have_changed(self, changes, query):
        parsed = parse(json.dumps(query))
        arrays, now = HostArrays(), {}
        for number, (values, *_) in changes:
            now[number] = values
            arrays.put(LedgerHost(number, f"c{number}", "nova", {}, values, True))
            arrays.matching(parsed)
        arrays.drop(9)
        gone = min(now)
        arrays.drop(gone)
        expected = [
            number != gone and parsed.matches(now[number]) for number in arrays.ids.tolist()
        ]
        self.assertEqual(expected, arrays.matching(parsed).tolist())

    def test_a3_no_query_that_is_short_enough_is_too_much_by_itself(self):
        one = '["=","$a",1]'
        count = MAX_LENGTH // (len(one) + 1) - 1
        query = parse(f'["or",{",".join([one] * count)}]')
        self.assertEqual(count, query.comparisons)
        longest = MAX_LENGTH // (len(one) + 1)
        self.assertLess(longest, MAX_COMPARISONS)

    def test_each_comparison_counts(self):
        query = parse('["and", ["=", "$a", 1], ["or", ["<", "$b", 2], ["not", ["=", "$a", 3]]]]')
        self.assertEqual(3, query.comparisons)
