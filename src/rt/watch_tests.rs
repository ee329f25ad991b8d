//! Sockets that are looked at by a thread that is awake, and those the kernel tells of.

use std::future::poll_fn;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Wake;
use std::thread;

use futures_lite::future::{or, yield_now};

use super::super::block_on;
use super::*;

fn on_real_time<T>(future: impl Future<Output = T>) -> T {
    block_on(&Clock::Monotonic, future)
}

fn pair() -> (Watched, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    (Watched::new(ours.into()).unwrap(), theirs)
}

#[derive(Default)]
struct Bell(AtomicBool);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn waiting() -> usize {
    WATCH.with_borrow(|watch| watch.waiting.len())
}

async fn read(socket: &Watched) -> u8 {
    let mut byte = [0];
    loop {
        poll_fn(|cx| socket.poll_readable(cx)).await.unwrap();
        match rustix::io::read(socket.get_ref(), &mut byte) {
            Ok(length) => {
                assert_eq!(length, 1);
                return byte[0];
            }
            Err(error) => assert_eq!(error, rustix::io::Errno::WOULDBLOCK),
        }
    }
}

/// Answers each byte with itself, until the end.
fn echo(mut socket: UnixStream) {
    let mut byte = [0];
    while socket.read(&mut byte).unwrap() > 0 {
        socket.write_all(&byte).unwrap();
    }
}

#[test]
fn answers_come_through_whether_the_thread_sleeps_or_looks() {
    let (ours, theirs) = pair();
    let echo = thread::spawn(move || echo(theirs));
    on_real_time(async move {
        for is_worth_it in [false, true].into_iter().cycle().take(2000) {
            WATCH.with_borrow_mut(|watch| watch.patience.looked(is_worth_it));
            rustix::io::write(ours.get_ref(), &[7]).unwrap();
            assert_eq!(read(&ours).await, 7);
        }
    });
    echo.join().unwrap();
}

#[test]
fn socket_is_read_while_there_is_always_something_else_to_do() {
    let (ours, mut theirs) = pair();
    theirs.write_all(&[7]).unwrap();
    let busy = async {
        loop {
            yield_now().await;
        }
    };
    assert_eq!(on_real_time(or(read(&ours), busy)), 7);
}

#[test]
fn socket_that_is_dropped_while_it_waits_is_watched_no_more() {
    let _kept = Keeping::set(true);
    let (ours, _theirs) = pair();
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(ours.poll_readable(cx).is_pending());
    assert_eq!(waiting(), 1);
    drop(ours);
    assert_eq!(waiting(), 0);
}

#[test]
fn busy_thread_sees_what_the_kernel_has_yet_to_tell() {
    let _kept = Keeping::set(true);
    for is_polled_after in [false, true] {
        let (ours, mut theirs) = pair();
        let bell = Arc::new(Bell::default());
        let waker = Waker::from(Arc::clone(&bell));
        let cx = &mut Context::from_waker(&waker);
        assert!(ours.poll_readable(cx).is_pending());
        assert!(hand_over());
        if is_polled_after {
            assert!(ours.poll_readable(cx).is_pending());
        }
        look_at_all();
        assert!(!bell.0.load(Ordering::SeqCst));
        theirs.write_all(&[7]).unwrap();
        // The kernel may tell it, too, at any time from now on.
        look_at_all();
        assert!(bell.0.load(Ordering::SeqCst));
        assert!(ours.poll_readable(cx).is_ready());
        assert_eq!(rustix::io::read(ours.get_ref(), &mut [0; 2]), Ok(1));
    }
}

#[test]
fn thread_that_writes_much_sees_in_between_what_has_come() {
    let _kept = Keeping::set(true);
    let (ours, mut theirs) = pair();
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(ours.poll_readable(cx).is_pending());
    theirs.write_all(&[7]).unwrap();
    ours.note_written(WRITTEN_A_LOOK - 1);
    assert_eq!(ours.0.state.get(), State::Watched);
    ours.note_written(1);
    assert_eq!(ours.0.state.get(), State::Readable);
}

#[test]
fn socket_that_is_dropped_while_the_kernel_is_asked_is_in_no_list() {
    let _kept = Keeping::set(true);
    let cx = &mut Context::from_waker(Waker::noop());
    let sockets: Vec<_> = (0..2 * MAX_HANDED_OVER).map(|_| pair()).collect();
    for (ours, _) in &sockets {
        assert!(ours.poll_readable(cx).is_pending());
    }
    hand_over();
    let handed_over = || WATCH.with_borrow(|watch| watch.handed_over.len());
    assert_eq!(handed_over(), MAX_HANDED_OVER);
    drop(sockets);
    assert_eq!(handed_over(), 0);
}

#[test]
fn sockets_beyond_those_watched_are_the_kernels_at_once() {
    let _kept = Keeping::set(true);
    let sockets: Vec<_> = (0..=MAX_WATCHED).map(|_| pair()).collect();
    let cx = &mut Context::from_waker(Waker::noop());
    for (ours, _) in &sockets {
        assert!(ours.poll_readable(cx).is_pending());
    }
    assert_eq!(waiting(), MAX_WATCHED);
    assert_eq!(sockets[MAX_WATCHED].0.0.state.get(), State::HandedOver);
}

#[test]
fn moment_in_which_nothing_comes_ends_and_is_in_vain() {
    let _kept = Keeping::set(true);
    let (ours, mut theirs) = pair();
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(ours.poll_readable(cx).is_pending());
    WATCH.with_borrow_mut(|watch| watch.patience.looked(true));
    assert!(!look_for_a_moment(|| false));
    assert!(!WATCH.with_borrow(|watch| watch.patience.is_worth_looking()));
    theirs.write_all(&[7]).unwrap();
    assert!(look() && ours.poll_readable(cx).is_ready());
}
