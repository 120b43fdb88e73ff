# SPDX-License-Identifier: Apache-2.0
import json
import unittest

from hypothesis import given
from hypothesis import strategies as st

from promise_blazar.capacity.resource_query import MAX_DEPTH, MAX_LENGTH, QueryError, parse
from promise_blazar.tests.unit.capacity import worlds


def matches(query, **properties) -> bool:
    text = query if isinstance(query, str) else json.dumps(query)
    parsed = parse(text)
    assert parsed is not None
    return parsed.matches(properties)


class ParseTest(unittest.TestCase):
    def test_nothing_is_no_condition(self):
        for text in ("", " \n", "[]", " [ ] "):
            self.assertIsNone(parse(text))

    def test_what_is_wrong_is_said(self):
        deep = '["not", ' * MAX_DEPTH + '["=", "$a", "1"]' + "]" * MAX_DEPTH
        for text, said in (
            ("gpu = 1", "not JSON"),
            ('["=", "$gpu", "1"', "not JSON"),
            ('["=", "$gpu", NaN]', "NaN is no value"),
            ("null", "begins with an operator"),
            ('{"=": 1}', "begins with an operator"),
            ("[[]]", "begins with an operator"),
            ('["and", []]', "begins with an operator"),
            ('["like", "$gpu", "1"]', "is not an operator"),
            ('["AND", ["=", "$gpu", "1"]]', "is not an operator"),
            ('["and"]', "at least one condition"),
            ('["or"]', "at least one condition"),
            ('["not", ["=", "$a", "1"], ["=", "$b", "1"]]', "one condition, not 2"),
            ('["=", "$gpu"]', "not 1 operands"),
            ('["=", "$gpu", "1", "2"]', "not 3 operands"),
            ('["=", "gpu", "1"]', '"$name"'),
            ('["=", "$", "1"]', '"$name"'),
            ('["=", 1, "1"]', '"$name"'),
            ('["=", "$gpu", null]', "a string or a number"),
            ('["=", "$gpu", ["1"]]', "a string or a number"),
            ('["=", "$gpu", 1e999]', "too large"),
            ('["=", "$gpu", ' + "9" * 5000 + "]", "not JSON"),
            (deep, "nested deeper"),
            ('["not", ' * 900 + "1" + "]" * 900, "nested deeper"),
            ('["=", "$gpu", "' + "1" * MAX_LENGTH + '"]', "longer than"),
        ):
            with self.subTest(text=text[:80]), self.assertRaises(QueryError) as caught:
                parse(text)
            self.assertIn(said, str(caught.exception))

    @worlds.exact(200)
    @given(st.text(max_size=60))
    def test_any_text_is_a_query_or_an_error(self, text):
        try:
            parse(text)
        except QueryError as error:
            self.assertTrue(str(error))

    def test_a_query_names_its_properties_and_shows_itself(self):
        text = '["and", ["==", "$a", 1], ["or", ["!=", "$b", "x"], ["not", ["<", "$c", 2.5]]]]'
        parsed = parse(text)
        self.assertEqual({"a", "b", "c"}, parsed.keys)
        shown = '["and", ["=", "$a", "1"], ["or", ["!=", "$b", "x"], ["not", ["<", "$c", "2.5"]]]]'
        self.assertEqual(shown, str(parsed))
        self.assertEqual(parsed, parse(str(parsed)))
        self.assertEqual(hash(parsed), hash(parse(str(parsed))))


class MatchTest(unittest.TestCase):
    def test_d8_numbers_are_compared_as_numbers(self):
        self.assertTrue(matches([">=", "$gpus", "8"], gpus="10"))
        self.assertTrue(matches([">", "$gpus", 8], gpus=10))
        self.assertTrue(matches(["=", "$gpus", "8"], gpus="8.0"))
        self.assertTrue(matches(["<", "$gpus", "1e3"], gpus=-1.5))
        self.assertFalse(matches(["<", "$gpus", "9"], gpus="10"))
        self.assertTrue(matches(["<", "$n", str(2**62)], n=2**62 - 1))

    def test_what_only_looks_like_a_number_is_text(self):
        for text in ("NaN", "inf", "-Infinity", "1_000", "0x10", "1e999", "٣", ""):
            with self.subTest(text=text):
                self.assertTrue(matches(["=", "$a", text], a=text))
                self.assertFalse(matches(["=", "$a", "1000"], a=text))
        self.assertFalse(matches(["<", "$a", "5"], a=float("nan")))

    def test_text_is_compared_as_text(self):
        self.assertTrue(matches(["<", "$arch", "x86_64"], arch="aarch64"))
        self.assertTrue(matches(["=", "$arch", "x86_64"], arch="x86_64"))
        self.assertTrue(matches(["!=", "$arch", "X86_64"], arch="x86_64"))
        self.assertTrue(matches(["<", "$mixed", "x"], mixed=10))

    def test_booleans_are_booleans_however_they_are_written(self):
        for value in ("True", "true", "TRUE", True):
            with self.subTest(value=value):
                self.assertTrue(matches(["=", "$ssd", value], ssd=True))
                self.assertTrue(matches(["=", "$ssd", value], ssd="true"))
                self.assertTrue(matches(["!=", "$ssd", value], ssd=False))
                self.assertFalse(matches(["=", "$ssd", value], ssd=1))
        self.assertTrue(matches(["!=", "$ssd", "yes"], ssd=True))

    def test_a_host_without_the_property_matches_no_comparison(self):
        for op in ("=", "==", "!=", "<", "<=", ">", ">="):
            self.assertFalse(matches([op, "$gpu", "1"]))
            self.assertFalse(matches([op, "$gpu", "None"], gpu=None))

    def test_not_turns_the_answer_round(self):
        self.assertTrue(matches(["not", ["=", "$gpu", "1"]]))
        self.assertTrue(matches(["not", ["=", "$gpu", "1"]], gpu="2"))
        self.assertFalse(matches(["not", ["=", "$gpu", "1"]], gpu="1"))

    def test_d8_all_conditions_of_a_nested_and_count(self):
        query = ["and", ["and", ["=", "$a", "1"], ["=", "$b", "1"]], ["=", "$c", "1"]]
        self.assertTrue(matches(query, a=1, b=1, c=1))
        for missing in "abc":
            self.assertFalse(matches(query, **{"a": 1, "b": 1, "c": 1, missing: 2}))

    def test_one_condition_of_an_or_is_enough(self):
        query = ["or", ["=", "$a", "1"], ["=", "$b", "1"]]
        self.assertTrue(matches(query, b=1))
        self.assertFalse(matches(query, a=2, b=2))

    @worlds.exact(200)
    @given(
        st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
        st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False)),
        st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False)),
    )
    def test_numbers_compare_alike_as_json_numbers_and_as_text(self, op, held, asked):
        compared = {
            "=": held == asked,
            "!=": held != asked,
            "<": held < asked,
            "<=": held <= asked,
            ">": held > asked,
            ">=": held >= asked,
        }
        for ours in (held, str(held)):
            for theirs in (asked, str(asked)):
                self.assertEqual(compared[op], matches([op, "$n", theirs], n=ours))
