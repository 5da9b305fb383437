"""How results look on a terminal."""

from datetime import UTC, datetime, timedelta, timezone

from lakemon_core.cli.output import console, table


def shown(value, capsys):
    console().print(table(["x"], [[value]]))
    return capsys.readouterr().out.splitlines()[-1].strip()


def test_structs_moments_and_lists_read_as_people_write_them(capsys):
    window = {"start": datetime(2026, 3, 2, tzinfo=UTC), "end": datetime(2026, 3, 3, tzinfo=UTC)}
    assert shown(window, capsys) == "start 2026-03-02 00:00:00, end 2026-03-03 00:00:00"
    assert shown([{"item": "a", "count": 2}], capsys) == "(item a, count 2)"
    assert shown([1, 2], capsys) == "1, 2"


def test_long_lists_say_how_much_is_left_out(capsys):
    assert shown(list(range(1001)), capsys) == "0, 1, 2, 3, 4 and 996 more"


def test_text_from_data_stays_on_one_line_and_is_no_markup(capsys):
    assert shown("[red]a\nb[/red]", capsys) == "[red]a b[/red]"


def test_a_column_of_times_says_its_zone(capsys):
    moment = datetime(2026, 3, 1, 23, 30, tzinfo=timezone(timedelta(hours=-2)))
    console().print(table(["start", "value"], [[None, 1], [moment, 2]]))
    head, *rest = capsys.readouterr().out.splitlines()
    assert head.split() == ["start", "(UTC)", "value"]
    assert "2026-03-02 01:30:00" in rest[-1]
