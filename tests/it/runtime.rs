//! Entering and leaving a runtime; signals.

use std::future::pending;
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};
use treewright::{CancelOrigin, Result, Runtime, open_nursery, run, shielded, sleep};

use crate::guard::{guarded, killed_by};

fn send(signal: Signal) {
    kill_process(getpid(), signal).unwrap();
}

#[test]
fn run_in_a_runtime_is_refused() {
    guarded(|| {
        let error = run(async || run(async || Ok(()))).unwrap_err();
        assert!(error.to_string().contains("already runs"));
        assert!(error.hint().unwrap().contains("open_nursery"));
    });
}

#[test]
fn run_whose_body_panics_is_an_error_and_leaves_the_thread_free() {
    guarded(|| {
        assert!(
            run(async || -> Result<()> { panic!("boom") })
                .unwrap_err()
                .is_panic()
        );
        assert_eq!(run(async || Ok(7)).unwrap(), 7);
    });
}

#[test]
fn run_on_two_threads_is_two_runtimes() {
    guarded(|| {
        let wait = async || {
            sleep(Duration::from_millis(1)).await;
            Ok(())
        };
        let other = std::thread::spawn(move || run(wait));
        run(wait).unwrap();
        other.join().unwrap().unwrap();
    });
}

#[test]
fn first_signal_cancels_in_order_and_is_named() {
    guarded(|| {
        for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
            let error = run(async || {
                open_nursery(async |n| {
                    n.spawn(async { send(signal) });
                    pending::<Result<()>>().await
                })
                .await
            });
            let error = error.unwrap_err();
            let origin = CancelOrigin::Signal(signal.as_raw());
            assert_eq!(error.cancel_reason().unwrap().origin(), &origin);
        }
    });
}

#[test]
fn second_signal_takes_the_grace_away() {
    guarded(|| {
        let error = run(async || {
            let mut is_cut_off = true;
            let cut_off = &mut is_cut_off;
            open_nursery(async move |n| {
                send(Signal::TERM);
                shielded(async {
                    n.cancelled().await;
                    send(Signal::TERM);
                    pending::<()>().await;
                    *cut_off = false;
                })
                .await;
                Ok(())
            })
            .await
        });
        assert!(error.unwrap_err().is_cancelled());
    });
}

#[test]
fn third_signal_ends_the_process() {
    killed_by(Signal::TERM.as_raw(), || {
        let runtime = Runtime::builder().grace(Duration::MAX);
        let _ = runtime.run(async || {
            open_nursery(async |n| {
                send(Signal::TERM);
                shielded(async {
                    n.cancelled().await;
                    let _last = SendOnDrop(Signal::TERM);
                    send(Signal::TERM);
                    pending::<()>().await
                })
                .await;
                Ok(())
            })
            .await
        });
        unreachable!("the signal in the destructor kills");
    });
}

struct SendOnDrop(Signal);

impl Drop for SendOnDrop {
    fn drop(&mut self) {
        send(self.0);
    }
}

#[test]
fn signal_after_the_runtime_has_its_default_action() {
    // TERM, because a job in the background or under nohup is started with the others ignored,
    // and what was ignored stays so.
    killed_by(Signal::TERM.as_raw(), || {
        run(async || Ok(())).unwrap();
        send(Signal::TERM);
        unreachable!("the signal kills");
    });
}

#[test]
fn runtime_that_handles_no_signals_leaves_their_default() {
    killed_by(Signal::TERM.as_raw(), || {
        let runtime = Runtime::builder().handle_signals(false);
        let _ = runtime.run(async || {
            send(Signal::TERM);
            Ok(())
        });
        unreachable!("the signal kills");
    });
}
