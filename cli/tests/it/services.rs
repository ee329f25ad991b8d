//! trees/services.toml with the real servers, asked by their real clients.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use crate::running::{Running, signal};

/// The number a server wrote into its file.
fn pid_in(services: &Running, file: &str) -> String {
    let text = fs::read_to_string(services.directory.path().join(file)).unwrap();
    text.lines().next().unwrap().to_owned()
}

fn client(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output().unwrap();
    assert!(output.status.success(), "{program}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn sql(query: &str) -> String {
    client(
        "psql",
        &[
            "-h",
            "127.0.0.1",
            "-p",
            "15432",
            "-U",
            "postgres",
            "-qtAc",
            query,
        ],
    )
}

fn redis(args: &[&str]) -> String {
    client("redis-cli", &[&["-p", "16379"], args].concat())
}

fn page() -> String {
    let mut connection = TcpStream::connect("127.0.0.1:18081").unwrap();
    connection.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

fn kill(pid: &str) {
    signal(pid.parse().unwrap(), "KILL");
}

#[test]
#[ignore = "needs root, PostgreSQL, Redis and nginx"]
fn servers_are_ready_in_order_and_come_back_when_killed() {
    let mut services = Running::start_services();
    services.wait_for("nginx started");
    sql("insert into visits values (now())");
    assert_eq!(sql("select count(*) from visits"), "1");
    assert_eq!(redis(&["ping"]), "PONG");
    assert!(page().ends_with("served by nginx\n"));

    kill(&pid_in(&services, "postgres/postmaster.pid"));
    services.wait_for("postgres was ended by signal KILL");
    services.wait_for("postgres started");
    assert_eq!(
        sql("select count(*) from visits"),
        "1",
        "what was committed is there"
    );

    let process = redis(&["info", "server"]);
    let pid = process
        .lines()
        .find_map(|line| line.trim().strip_prefix("process_id:"))
        .unwrap();
    kill(pid);
    services.wait_for("redis started");
    assert_eq!(redis(&["ping"]), "PONG");

    kill(&pid_in(&services, "nginx.pid"));
    services.wait_for("nginx started");
    assert!(page().ends_with("served by nginx\n"));

    services.signal("TERM");
    services.wait_for("treewright: stopped");
    assert_eq!(services.child.wait().unwrap().code(), Some(0));
    for port in [15432, 16379, 18081] {
        TcpStream::connect(("127.0.0.1", port)).expect_err("nobody listens any more");
    }
}
