# SPDX-License-Identifier: Apache-2.0
"""No message of the shell speaks SPL."""

import pytest

from flowlag.cli.speech import speak


@pytest.mark.parametrize(
    ("spl", "shell"),
    [
        ('option lag: "lag=5" is not allowed; give 5.', 'option --lag: "lag=5" is not allowed; give 5.'),
        ("give rank=share, or relation=overlap.", "give --rank share, or --relation overlap."),
        (
            'give the layout of _raw with format="${start} ${end}".',
            "give the layout of _raw with --format '${start} ${end}'.",
        ),
        ('for example by="src_ip=src,dest_ip".', "for example --by 'src_ip=src,dest_ip'."),
        (
            "with match_truncated=1; a higher maxmatches gives more",
            "with match_truncated=1; a higher --maxmatches gives more",
        ),
        ("flows without a value for a key of by: 1", "flows without a value for a key of --by: 1"),
        (
            "no event is a flow (x_status=ok): put flowlagenrich before flowlagmatch.",
            "no flow has x_status=ok: check --flows.",
        ),
        ("no event is an anchor: all are flow log records.", "there is no anchor: check --anchors."),
        ("flowlag_status=nodata: 1", "flowlag_status=nodata: 1"),
    ],
)
def test_speak(spl, shell):
    assert speak(spl) == shell
