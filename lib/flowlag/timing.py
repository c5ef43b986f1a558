# SPDX-License-Identifier: Apache-2.0
"""THE model: when the packets of one flow log record can have passed.

AWS documents `start` as the second in which the first packet of the flow was received within the aggregation interval,
which "might be up to 60 seconds after the packet was transmitted or received on the network interface", and says the
same of `end` and the last packet. Real records show that the stamps are mostly the bounds of a batch that several flows
share: records of ONE packet last 20 to 60 s, so `start` can lie before the first packet of the record. Only the wide
interval agrees with the documents and with every real record seen (docs/model.md, The bounds). With lag L = 60 s and
resolution r = 1 s:

      start-L                  start                end  end+r
        |<------ up to L ------->|<---- duration ---->|<->|
        [======================= envelope ================)      every packet of the record lies in here

Authority: Amazon VPC User Guide and VPC Transit Gateways guide, "Flow log records", wording of 2020-02-28, unchanged in
the copies of 2023, 2024 and 2026; 263 public records of 2016 to 2026. Read 2026-11-23.

NOT known (docs/model.md, What the model claims): no packet capture was compared with its records. The bound agrees with
the documents and the data, but is not proven; "might be" is no guarantee by AWS.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

from flowlag.interval import SECOND_US, Interval

#: Stamps are whole seconds, so a packet of second `end` may have passed until just before `end + 1`.
RESOLUTION_US = SECOND_US


class Timing(NamedTuple):
    """The packet time of one record, in microseconds since the epoch.

    `recorded` is [start, end] as AWS stamped it. `envelope` is [start - lag, end + resolution): its lower bound rests
    on AWS's 60 s; its upper bound on the fact that stamps are whole seconds, cut and not rounded. `stamps` says whose
    stamps they are: `packet`, `batch`, `unclear`, or empty if nothing can be said.
    """

    recorded: Interval
    envelope: Interval
    stamps: str

    @property
    def duration_us(self) -> int:
        """end - start, as AWS and the CIM count it."""
        return self.recorded.length_us

    @property
    def time_halves(self) -> int:
        """The best single estimate of a packet's time: the middle of the envelope, in half microseconds (exact)."""
        return self.envelope.start_us + self.envelope.end_us

    @property
    def uncertainty_halves(self) -> int:
        """Half the length of the envelope, in half microseconds: packet time = time +- this. It is a bound."""
        return self.envelope.length_us


def time_record(start_us: int, end_us: int, packets: Optional[int], is_ok: bool, lag_us: int) -> Timing:
    """The timing of a record with start <= end; `packets` is as in record.Record, `is_ok` says that it is ok."""
    recorded = Interval(start_us, end_us)
    return Timing(
        recorded=recorded,
        envelope=recorded.widened(before_us=lag_us, after_us=RESOLUTION_US),
        stamps=_read_stamps(recorded.length_us, packets) if is_ok else "",
    )


def _read_stamps(duration_us: int, packets: Optional[int]) -> str:
    """Whose times the stamps are (docs/model.md, Stamps).

    In the data seen, no record of 0 or 1 s shared its stamps with another one. One packet cannot be received at two
    times, so stamps that are further apart are those of its batch. With several packets, both are possible.
    """
    if duration_us <= SECOND_US:
        return "packet"
    if not packets:  # unknown or 0
        return ""
    return "batch" if packets == 1 else "unclear"
