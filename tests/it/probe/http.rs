//! The http probe against servers good, bad and slow.

use std::io::Write;
use std::net::TcpStream;
use std::sync::mpsc;
use std::time::Duration;

use treewright::spec::Probe;
use treewright::tree::probe::{TryFailure, Unwell};

use super::support::{LONG, Server, ready, run, unwell};

fn failure_of(server: &Server, timeout: Duration) -> TryFailure {
    match run(unwell(Probe::Http(server.url("/")), timeout, 1)) {
        Unwell::Failed { last, .. } => last,
        other => panic!("unexpected {other:?}"),
    }
}

#[test]
fn statuses_from_200_to_399_are_success() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.0 204 No Content\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: http://elsewhere.invalid/\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 399 Odd\r\n\r\n",
    ] {
        let server = Server::saying(answer);
        run(ready(Probe::Http(server.url("/health?deep=1")), LONG)).unwrap();
    }
}

#[test]
fn other_statuses_are_failures_that_name_the_status() {
    for (answer, expected) in [
        ("HTTP/1.1 404 Not Found\r\n\r\n", 404),
        ("HTTP/1.1 503 Busy\r\n\r\n", 503),
        ("HTTP/1.1 101 Switching\r\n\r\n", 101),
    ] {
        let server = Server::saying(answer);
        let failure = failure_of(&server, LONG);
        assert!(
            matches!(failure, TryFailure::Status { status, .. } if status == expected),
            "{failure}"
        );
    }
}

#[test]
fn garbage_and_silence_are_told_apart() {
    let server = Server::saying("SSH-2.0-OpenSSH_9.9\r\n");
    let failure = failure_of(&server, LONG);
    assert!(matches!(failure, TryFailure::NotHttp { .. }), "{failure}");
    let server = Server::saying("");
    let failure = failure_of(&server, LONG);
    assert!(matches!(failure, TryFailure::NoAnswer { .. }), "{failure}");
}

#[test]
fn head_without_an_end_is_refused_before_it_takes_much_memory() {
    let server = Server::new(|mut stream: TcpStream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nA: ");
        while stream.write_all(&[b'x'; 4096]).is_ok() {}
    });
    let failure = failure_of(&server, LONG);
    assert!(matches!(failure, TryFailure::NotHttp { .. }), "{failure}");
}

#[test]
fn answer_that_drips_is_given_up_in_time() {
    let (tx, rx) = mpsc::channel::<()>();
    let server = Server::new(move |mut stream: TcpStream| {
        stream.write_all(b"HTTP/1.1 2").unwrap();
        // The rest never comes; the connection stays until the probe has given up.
        let _ = rx.recv();
    });
    let failure = failure_of(&server, Duration::from_millis(100));
    assert!(matches!(failure, TryFailure::TimedOut(_)), "{failure}");
    drop(tx);
}

#[test]
fn https_is_refused_with_what_to_do_instead() {
    let probe = Probe::Http("https://127.0.0.1/".to_owned());
    let Unwell::Failed { last, .. } = run(unwell(probe, LONG, 1)) else {
        panic!("it failed");
    };
    assert!(last.to_string().contains("ask with exec"), "{last}");
}
