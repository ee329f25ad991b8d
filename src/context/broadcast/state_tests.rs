//! Tables for the state of a broadcast: what each receiver is told, case by case.

use std::num::NonZeroUsize;

use super::Lag;
use super::state::{Answer, BroadcastState, ReceiverId};
use crate::error::Error;

/// A state and a source that counts from 0 and never makes anybody wait.
struct Bench {
    state: BroadcastState<u32>,
    source: u32,
}

fn bench(capacity: usize, lags: &[Lag]) -> (Bench, Vec<ReceiverId>) {
    let mut state = BroadcastState::new(NonZeroUsize::new(capacity).unwrap());
    let ids = lags.iter().map(|lag| state.subscribe(*lag)).collect();
    (Bench { state, source: 0 }, ids)
}

impl Bench {
    /// What a receiver is told, as a word, when it gives way where it is to.
    fn ask(&mut self, id: ReceiverId) -> String {
        loop {
            match self.ask_once(id) {
                answer if answer == "give way" => {}
                answer => return answer,
            }
        }
    }

    /// One question of a receiver, and the answer as a word.
    fn ask_once(&mut self, id: ReceiverId) -> String {
        match self.state.ask(id) {
            Answer::Item(item) => item.to_string(),
            Answer::Lagged(lost) => format!("lost {lost}"),
            Answer::Failed(error) => format!("failed: {error}"),
            Answer::Ended => "end".to_owned(),
            Answer::GiveWay => "give way".to_owned(),
            Answer::Wait => "wait".to_owned(),
            Answer::Pull => {
                let _ = self.state.take_in(self.source);
                self.source += 1;
                self.ask_once(id)
            }
        }
    }

    fn asks(&mut self, id: ReceiverId, count: usize) -> String {
        let answers: Vec<String> = (0..count).map(|_| self.ask(id)).collect();
        answers.join(", ")
    }
}

#[test]
fn receiver_that_falls_behind_is_told_by_its_policy() {
    use Lag::{Block, Fail, Skip};
    // Capacity, policy of the slow one, what the fast one hears in this many questions, and
    // then the slow one.
    let cases = [
        (3, Fail, 3, "0, 1, 2", 4, "0, 1, 2, 3"),
        (3, Fail, 4, "0, 1, 2, 3", 4, "lost 1, 1, 2, 3"),
        (
            3,
            Fail,
            9,
            "0, 1, 2, 3, 4, 5, 6, 7, 8",
            4,
            "lost 6, 6, 7, 8",
        ),
        (1, Fail, 2, "0, 1", 3, "lost 1, 1, 2"),
        (3, Skip, 3, "0, 1, 2", 4, "0, 1, 2, 3"),
        (3, Skip, 9, "0, 1, 2, 3, 4, 5, 6, 7, 8", 4, "6, 7, 8, 9"),
        (1, Skip, 2, "0, 1", 3, "1, 2, 3"),
        (3, Block, 3, "0, 1, 2", 2, "0, 1"),
        (3, Block, 5, "0, 1, 2, wait, wait", 4, "0, 1, 2, 3"),
        (1, Block, 3, "0, wait, wait", 2, "0, 1"),
    ];
    for (capacity, lag, fast, heard_fast, slow, heard_slow) in cases {
        let (mut bench, ids) = bench(capacity, &[Fail, lag]);
        let case = format!("capacity {capacity}, {lag:?}, {fast} and {slow}");
        assert_eq!(bench.asks(ids[0], fast), heard_fast, "{case}");
        assert_eq!(bench.asks(ids[1], slow), heard_slow, "{case}");
    }
}

#[test]
fn receiver_that_lags_again_and_again_is_told_each_time_what_it_has_lost_since() {
    let (mut bench, ids) = bench(2, &[Lag::Fail, Lag::Fail]);
    assert_eq!(bench.asks(ids[0], 5), "0, 1, 2, 3, 4");
    assert_eq!(bench.ask(ids[1]), "lost 3");
    // It was told, and has not read on: what it loses now is told apart.
    bench.asks(ids[0], 1);
    assert_eq!(bench.asks(ids[0], 3), "6, 7, 8");
    assert_eq!(bench.asks(ids[1], 3), "lost 4, 7, 8");
    assert_eq!(bench.state.unread(ids[1]), 0);
}

/// Each row is a receiver that asks, and what it is told.
fn follow(bench: &mut Bench, rows: &[(ReceiverId, &str)]) {
    for (row, (id, expected)) in rows.iter().enumerate() {
        assert_eq!(bench.ask_once(*id), *expected, "row {row}");
    }
}

#[test]
fn who_would_push_out_what_a_reading_one_needs_gives_way() {
    let (mut bench, ids) = bench(2, &[Lag::Fail, Lag::Fail, Lag::Fail]);
    let [fast, slow, other] = ids[..] else {
        unreachable!("there are three");
    };
    let rows = [
        (fast, "0"),
        (fast, "1"),
        // The others are new, and may not have had their turn yet.
        (fast, "give way"),
        (slow, "0"),
        (slow, "1"),
        // For each of them once, since an executor need not run both in one turn of its own.
        (slow, "give way"),
        (fast, "give way"),
        // Now they have had their turns. `other` did nothing with it, and gets no second one.
        (fast, "2"),
        (fast, "3"),
        // The slow one has used its turn, and is at the brink.
        (fast, "give way"),
        (slow, "2"),
        // It has moved on: nobody who is at the brink has used its turn.
        (fast, "4"),
        (fast, "give way"),
        (fast, "give way"),
        (fast, "5"),
        (slow, "lost 1"),
        (slow, "4"),
        (other, "lost 4"),
        (other, "4"),
        (slow, "5"),
        (other, "5"),
        (fast, "6"),
    ];
    follow(&mut bench, &rows);
}

#[test]
fn receiver_that_uses_its_turn_loses_nothing_however_few_are_kept() {
    for capacity in 1..4 {
        let (mut bench, ids) = bench(capacity, &[Lag::Fail; 3]);
        let mut heard = vec![0; ids.len()];
        for turn in 0..200 {
            let who = turn % ids.len();
            // A turn is over when it is given to others.
            while let Ok(item) = bench.ask_once(ids[who]).parse::<u32>() {
                assert_eq!(item, heard[who]);
                heard[who] += 1;
            }
        }
        assert!(heard.iter().all(|count| *count >= 60), "{heard:?}");
    }
}

#[test]
fn room_is_told_of_once_to_those_who_wait_for_it() {
    type Cause = fn(&mut BroadcastState<u32>, ReceiverId);
    let causes: [(&str, Cause); 5] = [
        ("read", |state, slow| drop(state.ask(slow))),
        ("removed", |state, slow| drop(state.remove(slow))),
        ("skips", |state, slow| state.set_lag(slow, Lag::Skip)),
        ("fails", |state, slow| state.set_lag(slow, Lag::Fail)),
        ("more are kept", |state, _| {
            state.grow(NonZeroUsize::new(3).unwrap());
        }),
    ];
    for (name, cause) in causes {
        let (mut bench, ids) = bench(2, &[Lag::Fail, Lag::Block]);
        assert_eq!(bench.asks(ids[0], 2), "0, 1", "{name}");
        assert!(!bench.state.take_room(), "{name}: nobody waits");
        assert_eq!(bench.ask(ids[0]), "wait", "{name}");
        assert!(!bench.state.take_room(), "{name}: there is none");
        cause(&mut bench.state, ids[1]);
        assert!(bench.state.take_room(), "{name}");
        assert!(!bench.state.take_room(), "{name}: it was told");
        assert_eq!(bench.ask(ids[0]), "2", "{name}");
    }
}

#[test]
fn room_that_others_still_block_is_not_told_of() {
    let (mut bench, ids) = bench(1, &[Lag::Fail, Lag::Block, Lag::Block]);
    assert_eq!(bench.asks(ids[0], 2), "0, wait");
    assert_eq!(bench.ask(ids[1]), "0");
    assert!(!bench.state.take_room());
    assert_eq!(bench.ask(ids[1]), "wait");
    assert_eq!(bench.ask(ids[2]), "0");
    assert!(bench.state.take_room());
}

#[test]
fn end_and_failure_come_after_the_items_and_to_everybody() {
    let cases = [
        (None, "0, 1, end, end"),
        (Some("boom"), "0, 1, failed: boom, end"),
    ];
    for (failure, heard) in cases {
        let (mut bench, ids) = bench(2, &[Lag::Fail; 3]);
        assert_eq!(bench.asks(ids[0], 2), "0, 1");
        let late = bench.state.subscribe(Lag::Fail);
        bench.state.end(failure.map(Error::other));
        let copy = bench.state.duplicate(ids[1]);
        for id in [ids[1], ids[2], copy] {
            assert_eq!(bench.asks(id, 4), heard);
        }
        let rest = heard.trim_start_matches("0, 1, ");
        for id in [ids[0], late] {
            assert_eq!(bench.asks(id, 2), rest);
        }
        let copy = bench.state.duplicate(ids[0]);
        assert_eq!(bench.ask(copy), "end", "what was heard is not said again");
    }
}

#[test]
fn subscriber_begins_with_the_next_item_and_a_copy_where_the_original_is() {
    let (mut bench, ids) = bench(3, &[Lag::Fail, Lag::Skip]);
    assert_eq!(bench.asks(ids[0], 2), "0, 1");
    let (subscriber, copy) = (
        bench.state.subscribe(Lag::Fail),
        bench.state.duplicate(ids[1]),
    );
    assert_eq!(bench.state.lag(copy), Lag::Skip);
    assert_eq!(bench.state.unread(copy), 2);
    assert_eq!(bench.state.unread(subscriber), 0);
    assert_eq!(bench.asks(subscriber, 2), "2, 3");
    assert_eq!(bench.asks(copy, 2), "1, 2");
}

#[test]
fn what_was_kept_for_one_alone_goes_with_it() {
    let (mut bench, ids) = bench(4, &[Lag::Fail, Lag::Fail, Lag::Fail]);
    assert_eq!(bench.asks(ids[0], 4), "0, 1, 2, 3");
    assert_eq!(bench.asks(ids[1], 2), "0, 1");
    assert_eq!(bench.state.remove(ids[2]), [0, 1]);
    assert_eq!(bench.state.remove(ids[1]), [2, 3]);
    // Nothing is kept for the only one, so it pushes nothing out.
    assert_eq!(bench.state.take_in(4), None);
}
