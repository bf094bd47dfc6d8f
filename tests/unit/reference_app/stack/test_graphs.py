from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from reference_app.stack import graphs

REED98 = Path(__file__).resolve().parents[5] / "shared" / "data" / "graph-reed98" / "socfb-Reed98.edges"


def pairs(graph: graphs.Graph) -> list[tuple[int, int]]:
    return [(follower, followee) for follower, followee in graph.edges.tolist()]


def parse(text: str, *, directed: bool = True) -> graphs.Parsed:
    return graphs.parse(text.encode().splitlines(keepends=True), directed=directed)


@pytest.mark.parametrize("text", ["1 2\n2 3\n", "1\t2\n2\t3", "1,2\n2, 3\n", "  1   2  \r\n2 3\r\n", "\ufeff1 2\n2 3\n"])
def test_pairs_may_be_separated_by_spaces_tabs_or_commas(text: str) -> None:
    found = parse(text).graph
    assert (found.handles, pairs(found)) == (("u1", "u2", "u3"), [(1, 2), (2, 3)])


def test_comments_and_empty_lines_are_skipped() -> None:
    assert parse("# SNAP\n% KONECT\n\n1 2\n").graph.edges.tolist() == [[1, 2]]


@pytest.mark.parametrize("header", ["from to", "source,target", '"Source","Target"', "FromNodeId\tToNodeId", "81306,1342310,u,graph"])
def test_a_header_above_the_pairs_is_recognised_and_reported(header: str) -> None:
    parsed = parse(f"# a comment\n{header}\n1,2\n")
    assert (parsed.header, pairs(parsed.graph)) == (header, [(1, 2)])


def test_a_first_pair_of_words_is_no_header_among_words() -> None:
    parsed = parse("alice bob\nbob carol\n")
    assert (parsed.header, parsed.graph.handles) == (None, ("ualice", "ubob", "ucarol"))


def test_a_directed_pair_says_that_the_first_follows_the_second() -> None:
    parsed = parse("7 9\n7 9\n9 7\n7 7\n")
    assert (parsed.graph.handles, pairs(parsed.graph)) == (("u7", "u9"), [(1, 2), (2, 1)])
    assert (parsed.duplicates, parsed.self_loops) == (1, 1)


def test_an_undirected_pair_is_two_follows_and_its_reverse_a_duplicate() -> None:
    parsed = parse("7 9\n9 7\n", directed=False)
    assert pairs(parsed.graph) == [(1, 2), (2, 1)]
    assert parsed.duplicates == 1


def test_numbers_keep_their_order_so_that_labels_from_1_are_the_ids() -> None:
    assert parse("10 2\n9 1\n").graph.handles == ("u1", "u2", "u9", "u10")


def test_every_bad_line_is_reported_with_its_number_and_nothing_is_returned() -> None:
    with pytest.raises(graphs.BadLinesError) as caught:
        parse("# c\n1 2\n3\n1 2 3\n1,,2\n4,\n1 2,3\n5 6\n")
    assert [(bad.number, bad.text) for bad in caught.value.bad] == [(3, "3"), (4, "1 2 3"), (5, "1,,2"), (6, "4,"), (7, "1 2,3")]
    assert "5 bad lines, the first is line 3" in str(caught.value)
    assert [bad.reason for bad in caught.value.bad[1:3]] == ["expected two labels, found 3", "expected two labels, found 2"]
    assert caught.value.bad[-1].reason == "a label has a space in it"


def test_bytes_that_are_not_utf8_are_a_bad_line() -> None:
    with pytest.raises(graphs.BadLinesError) as caught:
        graphs.parse([b"1 2\n", b"\xff\xfe 2\n"], directed=True)
    assert (caught.value.bad[0].number, caught.value.bad[0].reason) == (2, "not UTF-8")


@pytest.mark.parametrize("text", ["", "# only comments\n", "from to\n"])
def test_a_file_without_a_pair_is_refused(text: str) -> None:
    with pytest.raises(graphs.BadLinesError, match="no pair"):
        parse(text)


def test_handles_are_valid_unique_and_plain_ones_stay_as_they_are() -> None:
    labels = ["käse", "x" * 30, "x" * 31, "Bob", "bob", "a-b", "a_b", "5"]
    handles = graphs.handles(labels)
    assert handles[3] == "uBob"
    assert handles[6:] == ("ua_b", "u5")
    assert all(len(handle) <= 15 and handle.isascii() and handle.replace("_", "").isalnum() for handle in handles)
    assert len({handle.lower() for handle in handles}) == len(labels)


def test_an_altered_handle_gives_way_to_one_that_is_plain() -> None:
    assert graphs.handles(["a-b", "a_b_1"]) == ("ua_b_2", "ua_b_1")


def test_a_gzip_file_is_read_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / "edges.csv"
    path.write_bytes(gzip.compress(b"1,2\n"))
    assert pairs(graphs.read(path, directed=True).graph) == [(1, 2)]


PACKED = gzip.compress(b"".join(b"%d,%d\n" % (i, i * 7919 % 1000) for i in range(1000)))


@pytest.mark.parametrize(
    "damaged",
    [PACKED[: len(PACKED) // 2], PACKED[:50] + bytes(50) + PACKED[100:], PACKED[:-8] + bytes(8), PACKED + b"rest"],
    ids=["half", "spoilt", "checksum", "rest"],
)
def test_a_damaged_gzip_file_is_named(tmp_path: Path, damaged: bytes) -> None:
    path = tmp_path / "edges.csv.gz"
    path.write_bytes(damaged)
    with pytest.raises(OSError, match=r"edges\.csv\.gz is gzip, but damaged or not whole"):
        graphs.read(path, directed=True)


def test_only_the_beginning_of_a_long_bad_line_is_kept() -> None:
    with pytest.raises(graphs.BadLinesError) as caught:
        parse("1 2\n" + "x" * 10_000 + "\n")
    assert len(caught.value.bad[0].text) == graphs.LINE_KEPT


def test_a_graph_of_pairs_has_each_once_in_order() -> None:
    assert pairs(graphs.of(("u1", "u2", "u3"), [(2, 1), (1, 3), (2, 1)])) == [(1, 3), (2, 1)]
    assert graphs.of(("u1",), []).top_followers() == 0


def test_top_followers_counts_followers_and_not_followees() -> None:
    assert parse("1 3\n2 3\n3 1\n").graph.top_followers() == 2


@pytest.mark.skipif(not REED98.exists(), reason=f"the real graph is not beside the checkout: {REED98}")
def test_the_real_friendship_graph_is_read_whole() -> None:
    parsed = graphs.read(REED98, directed=False)
    assert (len(parsed.graph.handles), len(parsed.graph.edges), parsed.self_loops) == (962, 2 * 18_812, 0)
    assert parsed.graph.top_followers() == 313
