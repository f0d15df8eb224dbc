"""The format of text with quotes, strings and missing values, from its first lines."""

import pytest

from nn.data import quoted_text


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        (["a,b", "1,x", "2,y"], ("a", "b")),
        (["1,x", "2,y"], ()),
        (['"a","b"', '"r1",1,2', '"r2",3,4'], ("", "a", "b")),
        (["cap,odor", "x,p", "b,q", "x,p"], ("cap", "odor")),  # nowhere again
        (["x,p", "x,p", "b,q"], ()),
        (["a,b", "NA,1", "?,2"], ("a", "b")),
        (["NA,b", "1,b", "2,b"], ()),
        (["# note", "a,b", "1,2"], ("a", "b")),
        (["dog,1", "cat,2"], ()),
    ],
)
def test_the_first_line_is_a_header_above_numbers_or_where_it_is_met_nowhere_again(lines, names):
    assert quoted_text.inspect(lines).names == names


@pytest.mark.parametrize(
    ("lines", "names"), [(["dog", "cat"], ()), (["label", "1", "2"], ("label",)), (["label", "cat"], ())]
)
def test_labels_have_a_header_above_numbers_alone(lines, names):
    assert quoted_text.inspect(lines, is_labels=True).names == names


@pytest.mark.parametrize(
    ("line", "separator", "quote", "width"),
    [
        ('"a,b";2;"c"', ";", '"', 3),
        ("'a',2,'c,d'", ",", "'", 3),
        ("a|b|c", "|", '"', 3),
        ("a\tb, c", "\t", '"', 2),
        ("it's, fine", ",", '"', 2),
        ("a b c", " ", '"', 3),
        ("alone", ",", '"', 1),
    ],
)
def test_separators_and_quotes_are_found(line, separator, quote, width):
    found = quoted_text.inspect([line, line])
    assert (found.separator, found.quote, found.width, found.names) == (separator, quote, width, ())


@pytest.mark.parametrize(
    ("lines", "separator"),
    [
        (["name,tags,label", "x,a|b,1", "y,c,0"], ","),
        (["id,title,genres", '1,"Toy; Story",Action|Drama', "2,Heat,Crime|Action"], ","),
        (["a\tb", "1,5\t2,5", "1,7\t2"], "\t"),
        (["1,5;2,5", "1,7;2,8"], ";"),
        (["a;b", "1,5;2,5;3"], ";"),  # none has the same count on each line: commas are decimal
        (["a|b;c", "1|2;3", "1|2;4;5"], "|"),
    ],
)
def test_marks_in_some_cells_do_not_separate(lines, separator):
    assert quoted_text.inspect(lines).separator == separator


@pytest.mark.parametrize(
    ("lines", "names", "comments"),
    [
        (["color,price,y", "#ff0000,3,a", "blue,4,b"], ("color", "price", "y"), []),
        (["#id,y", "1,a", "2,b"], ("#id", "y"), []),
        (["# by hand", "#id,y", "1,a", "#2,b", "# the, end, at last"], ("#id", "y"), [0, 4]),
        (['#"a,b",y', "1,a", "2,b"], (), [0]),
        (["#1,a", "#2,a", "#3,a"], (), []),
        (["# labels", "0", "1"], ("# labels",), []),
    ],
)
def test_a_line_of_a_hash_and_as_many_fields_as_the_rows_is_no_comment(lines, names, comments):
    found = quoted_text.inspect(lines)
    assert found.names == names and found.comment == ("#" if comments else "")
    assert [number for number, line in enumerate(lines) if found.is_comment(line)] == comments


def test_a_header_is_what_the_user_says():
    assert quoted_text.inspect(["1,2", "3,4"], "yes").names == ("1", "2")
    assert quoted_text.inspect(["a,b", "3,4"], "no").names == ()


@pytest.mark.parametrize(
    ("line", "quote"), [("1;'a;b'", "'"), ("'a;b';1", "'"), ("1;2;'it''s; here'", "'"), ("'tis;'twas", '"')]
)
def test_single_quotes_are_found_where_every_quoted_field_holds_a_separator(line, quote):
    assert quoted_text.inspect([line] * 2, separator=";").quote == quote


def test_lines_end_where_readers_of_files_end_them():
    assert quoted_text.lines_of("a\u2028b\r\n\nc\x85\rd") == ["a\u2028b", "", "c\x85", "d"]
