from __future__ import annotations

import threading

import pytest

from trtviewer.pipeline.handover import Channel, Closed, Latest


def test_that_latest_gives_the_newest_and_counts_what_was_dropped() -> None:
    latest: Latest[int] = Latest()
    assert latest.take() is None
    for value in range(5):
        latest.put(value)
    assert (latest.wait(), latest.dropped) == (4, 4)
    assert latest.take() is None


def test_that_closing_latest_lets_a_waiting_reader_go() -> None:
    latest: Latest[int] = Latest()
    ended = threading.Event()

    def read() -> None:
        with pytest.raises(Closed):
            latest.wait()
        ended.set()

    reader = threading.Thread(target=read)
    reader.start()
    latest.close()
    reader.join(5)
    assert ended.is_set()


def test_that_a_channel_loses_nothing_and_keeps_the_order_however_small_it_is() -> None:
    channel: Channel[int] = Channel(2)
    got: list[int] = []

    def read() -> None:
        while True:
            try:
                got.append(channel.get())
            except Closed:
                return

    reader = threading.Thread(target=read)
    reader.start()
    for value in range(1000):
        channel.put(value)
    channel.finish()
    reader.join(5)
    assert got == list(range(1000))


def test_that_aborting_a_channel_lets_both_sides_go() -> None:
    channel: Channel[int] = Channel(1)
    channel.put(1)
    refused = threading.Event()

    def write() -> None:
        with pytest.raises(Closed):
            channel.put(2)
        refused.set()

    writer = threading.Thread(target=write)
    writer.start()
    channel.abort()
    writer.join(5)
    assert refused.is_set()
    with pytest.raises(Closed):
        channel.get()
