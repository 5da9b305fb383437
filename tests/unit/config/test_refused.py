"""Files that could hurt, or are no config at all, are refused with line and column."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakemon_core.config import load
from lakemon_core.domain.errors import ConfigErrors

GOOD = "environments: {dev: {catalog: c, schema: s}}\n"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 10)}]\n"
    for before, name in zip("abcdefg", "bcdefgh", strict=True)
)

MERGE = "merges something that is not a mapping;"
TAB = "found character '\\t' that cannot start any token;"
REFUSED = {
    "an empty file": ("", "LM107", 1, 1, "the file is empty;"),
    "comments only": ("# nothing\n", "LM107", 1, 1, "the file is empty;"),
    "a list": ("- a\n- b\n", "LM107", 1, 1, "the file is not a mapping of keys to values;"),
    "one word": ("lakemon", "LM107", 1, 1, "the file is not a mapping of keys to values;"),
    "two documents": (GOOD + "---\n" + GOOD, "LM107", 2, 1, "a second document starts here;"),
    "a tab": ("environments:\n\tdev: 1\n", "LM103", 2, 1, TAB),
    "an open bracket": ("environments: [1", "LM103", 1, 17, "expected ',' or ']', but got '<stream end>';"),
    "wrong indentation": ("sinks: 1\n  dev: 2\n", "LM103", 2, 6, "mapping values are not allowed here;"),
    "a key that is a list": ("? [a]\n: b\n", "LM103", 1, 3, "a key must be plain text;"),
    "an alias without anchor": ("a: *b\n", "LM103", 1, 4, "*b has no anchor;"),
    "a merge of no mapping": (GOOD + "sinks: {<<: 3}\n", "LM103", 2, 9, MERGE),
    "a control character": ("a: b\nc: \x07\n", "LM103", 2, 4, "character U+0007 is not allowed;"),
    "a mapping that holds itself": ("a: &a {b: *a}\n", "LM105", 1, 11, "&a contains itself;"),
    "an alias bomb": (BOMB, "LM105", 4, 20, "more than 5,000 values;"),
    "many aliases": ("a: &a 1\nb: [" + "*a, " * 101 + "]\n", "LM105", 2, 405, "more than 100 aliases;"),
    "brackets without end": ("a: " + "[" * 20_000, "LM105", 1, 23, "nested deeper than 20 levels;"),
    "depth by aliases": (
        "a0: &a0 [1]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 40)),
        "LM105", 19, 12, "nested deeper than 20 levels;",
    ),
    "many values": ("a: [" + "1, " * 6000 + "]\n", "LM105", 1, 14999, "more than 5,000 values;"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_it_is_refused_at_its_place(problems, case):
    text, code, line, column, what = REFUSED[case]
    problem = problems(text)[0]
    assert (problem.code, problem.line, problem.column, problem.what) == (code, line, column, what)
    assert problem.cure
    assert str(problem).startswith(f"{code} ")


def test_every_doubled_key_is_named_with_the_line_of_the_first(problems):
    text = "environments:\n  dev: {catalog: c, schema: s, catalog: d}\nsinks: {}\nsinks: {}\n"
    assert [(p.code, p.line, p.path, p.what) for p in problems(text)] == [
        ("LM104", 2, "environments.dev.catalog", "is written twice; the first is on line 2;"),
        ("LM104", 4, "sinks", "is written twice; the first is on line 3;"),
    ]


def test_tags_are_named_and_never_acted_upon(problems, tmp_path):
    target = tmp_path / "made"
    text = GOOD + f"plugins:\n  disabled: !!python/object/apply:os.mkdir ['{target}']\n"
    [problem] = problems(text)
    assert (problem.code, problem.line) == ("LM106", 3)
    assert "python/object/apply:os.mkdir" in problem.what
    assert not target.exists()


def test_a_missing_file_gets_the_nearest(tmp_path):
    (tmp_path / "monitoring_config.yml").write_text(GOOD)
    with pytest.raises(ConfigErrors, match=r'LM100 .* does not exist. Did you mean "monitoring_config.yml"'):
        load(tmp_path / "monitoring_confg.yml")


def test_a_missing_file_in_an_empty_folder_names_init(tmp_path):
    with pytest.raises(ConfigErrors, match="`lakemon init` writes one"):
        load(tmp_path / "none" / "monitoring_config.yml")


def test_a_folder_is_no_config(tmp_path):
    with pytest.raises(ConfigErrors, match=r"LM100 .* is a folder"):
        load(tmp_path)


def test_a_file_over_one_mebibyte_is_refused_unread(tmp_path):
    path = tmp_path / "big.yml"
    path.write_bytes(GOOD.encode() + b"#" * 1024 * 1024)
    with pytest.raises(ConfigErrors, match=r"LM101 .* larger than 1 MiB"):
        load(path)


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_other_encodings_are_refused_at_the_byte(tmp_path, encoding):
    path = tmp_path / "other.yml"
    path.write_bytes((GOOD + "# caf\xe9\n").encode(encoding))
    with pytest.raises(ConfigErrors) as caught:
        load(path)
    [problem] = caught.value.problems
    place = {"utf-16": (1, 1), "latin-1": (2, 6)}[encoding]
    assert (problem.code, problem.line, problem.column) == ("LM102", *place)


def test_a_byte_order_mark_is_skipped(tmp_path):
    path = tmp_path / "bom.yml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load(path).monitor.catalog == "c"


def test_variables_that_grow_without_end_are_refused(problems):
    doubling = "".join(f"  v{i}: '${{var:v{i + 1}}}${{var:v{i + 1}}}'\n" for i in range(40))
    text = f"variables:\n{doubling}  v40: x\nenvironments: {{dev: {{catalog: '${{var:v0}}', schema: s}}}}\n"
    assert "grows beyond" in problems(text)[0].what


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_any_text_is_a_config_or_a_list_of_problems(tmp_path, text):
    path = tmp_path / "any.yml"
    path.write_text(text, encoding="utf-8", newline="")
    with pytest.raises(ConfigErrors) as caught:
        load(path)
    assert all(problem.code.startswith("LM1") for problem in caught.value.problems)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_cut_or_flipped_config_loads_or_says_what_is_wrong(tmp_path, full_text, data):
    start = data.draw(st.integers(0, len(full_text) - 1))
    length = data.draw(st.integers(1, 12))
    other = data.draw(
        st.sampled_from(["", "{", "]", ": ", "\n", "  ", "&a ", "*a", "'", "1", "null", "${", "- "])
    )
    path = tmp_path / "cut.yml"
    path.write_text(full_text[:start] + other + full_text[start + length :], encoding="utf-8")
    try:
        load(path)
    except ConfigErrors as errors:
        problems = errors.problems
    else:
        problems = ()
    assert all(problem.line for problem in problems)
