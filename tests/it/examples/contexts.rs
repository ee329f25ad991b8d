//! Examples of streams between processes.

use super::support::check;
use crate::guard::guarded;

#[test]
fn example_of_two_actors_at_ping_pong_runs() {
    guarded(|| {
        let rounds = (1..10).map(|round| format!("pong {round}\n"));
        check("30_ping_pong", &rounds.collect::<String>());
    });
}

#[test]
fn example_of_a_streaming_service_of_four_processes_runs() {
    guarded(|| check("31_streaming_service", "1000 numbers, 499500 in all\n"));
}

#[test]
fn example_of_a_stream_with_several_readers_runs() {
    guarded(|| check("32_broadcast", &"a reader's sum: 4950\n".repeat(3)));
}

#[test]
fn example_of_questions_among_other_messages_runs() {
    guarded(|| {
        check(
            "33_request_reply",
            "news: 7 is asked for\n\
             7 squared is 49\n\
             8 squared is 64\n\
             news: 9 is asked for\n\
             9 squared is 81\n",
        );
    });
}

#[test]
fn example_of_a_publisher_with_subscribers_runs() {
    guarded(|| {
        check(
            "34_publish",
            "a has heard 249500\n\
             b has heard 250000\n\
             c has heard 249500\n",
        );
    });
}
