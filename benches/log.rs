//! Throughput of a child's output into a file, beside the plainest loop that does it (E7).
//!
//! `cargo bench --bench log [-- ROUNDS [MEBIBYTES]]`. The child writes numbered lines of 100
//! bytes. The floor reads the pipe and writes the file in one thread, adds no prefix and looks
//! at no line. Rounds alternate, every file is checked line by line, the median is printed.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that cannot go on fails, and prints what it found"
)]

use std::fs::{self, File};
use std::future::pending;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures_lite::future::or;
use treewright::spec::{ChildName, LogFile, LogSpec, OnFull};
use treewright::time::Clock;
use treewright::tree::log::{LogSettings, Logs};

const LINE: usize = 100;
const FLOOD: &str = "--flood";
const MIB: u64 = 1 << 20;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|arg| arg == FLOOD) {
        flood(args[1].parse().unwrap());
        return;
    }
    let mut numbers = args.iter().filter_map(|arg| arg.parse::<u64>().ok());
    let rounds = numbers.next().unwrap_or(5);
    let lines = numbers.next().unwrap_or(1024) * MIB / LINE as u64;
    let directory = std::env::temp_dir().join(format!("treewright-bench-{}", std::process::id()));
    fs::create_dir(&directory).unwrap();
    let ways = [Way::Floor, Way::File, Way::Prefixed];
    let mut times = [const { Vec::new() }; 3];
    for round in 0..rounds as usize {
        // Each way is the first of a round as often as the others: what the disk still does for
        // the file before is then no one's alone.
        for turn in 0..ways.len() {
            let at = (round + turn) % ways.len();
            let path = directory.join("log");
            let before = cpu_seconds();
            let elapsed = measure(ways[at], lines, &path);
            let cpu = cpu_seconds() - before;
            check(&path, lines, ways[at].prefix());
            fs::remove_file(&path).unwrap();
            times[at].push((elapsed.as_secs_f64(), cpu));
        }
    }
    fs::remove_dir(&directory).unwrap();
    print(lines, times);
}

/// Elapsed and processor seconds of each round, by way.
fn print(lines: u64, times: [Vec<(f64, f64)>; 3]) {
    println!("{lines} lines of {LINE} bytes into a file; seconds, median (least to most)");
    let names = [
        "floor: read, write",
        "log = { file }",
        "log = inherit, prefixed",
    ];
    let mut floor = None;
    for (name, times) in names.into_iter().zip(times) {
        let (elapsed, cpu): (Vec<f64>, Vec<f64>) = times.into_iter().unzip();
        let ([median, least, most], [cpu, ..]) = (spread(elapsed), spread(cpu));
        let (of, of_cpu) = *floor.get_or_insert((median, cpu));
        let (ratio, cpu_ratio) = (median / of, cpu / of_cpu);
        println!(
            "{name:<24} {median:.3} ({least:.3} to {most:.3}) {ratio:.2} x floor, processor {cpu:.2} {cpu_ratio:.2} x"
        );
    }
}

/// Median, least, most.
fn spread(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [
        values[values.len() / 2],
        values[0],
        values[values.len() - 1],
    ]
}

/// Processor time this process has used, its children apart.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    // User and system time, in ticks of a hundredth second.
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

#[derive(Clone, Copy)]
enum Way {
    Floor,
    File,
    Prefixed,
}

impl Way {
    fn prefix(self) -> &'static str {
        match self {
            Self::Floor | Self::File => "",
            Self::Prefixed => "web | ",
        }
    }
}

/// From the start of the child until its last line is in the file.
fn measure(way: Way, lines: u64, path: &Path) -> Duration {
    let start = Clock::Monotonic.now();
    match way {
        Way::Floor => floor(lines, path),
        Way::File => {
            let spec = LogSpec::File(LogFile {
                file: path.to_owned(),
                max_size: u64::MAX,
                keep: 1,
                on_full: OnFull::Block,
            });
            ours(lines, &spec, Path::new("/dev/null"));
        }
        Way::Prefixed => ours(lines, &LogSpec::Inherit, path),
    }
    Clock::Monotonic.now() - start
}

fn floor(lines: u64, path: &Path) {
    let mut child = start(lines);
    let mut pipe = File::from(OwnedFd::from(child.stdout.take().unwrap()));
    let mut file = File::options()
        .append(true)
        .create(true)
        .open(path)
        .unwrap();
    let mut buffer = vec![0; 65536];
    while let count @ 1.. = pipe.read(&mut buffer).unwrap() {
        file.write_all(&buffer[..count]).unwrap();
    }
    assert!(child.wait().unwrap().success());
}

fn ours(lines: u64, spec: &LogSpec, stdout: &Path) {
    let open = |path: &Path| {
        File::options()
            .append(true)
            .create(true)
            .open(path)
            .unwrap()
    };
    let settings = LogSettings::new(open(stdout), open(Path::new("/dev/null")), ["web"]);
    let logs = Logs::new(settings, |report| panic!("{report}")).unwrap();
    let running = async {
        logs.run().await;
        pending().await
    };
    // As the runtime does: the thread that runs the tasks also waits for the kernel's events.
    #[expect(clippy::disallowed_methods, reason = "there is no runtime here")]
    smol::block_on(or(running, async {
        let log = logs.open(&ChildName::from("web"), spec).await.unwrap();
        let mut child = start(lines);
        let output = log.attach(child.stdout.take().map(OwnedFd::from), None);
        // The supervisor learns of the end by pidfd; here the end of the pipe will do.
        output.unwrap().ended().await;
        assert!(child.wait().unwrap().success());
        assert!(logs.close(Duration::from_secs(60)).await);
    }));
}

fn start(lines: u64) -> Child {
    let this: PathBuf = std::env::current_exe().unwrap();
    Command::new(this)
        .args([FLOOD, &lines.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Numbered lines, forty a write, as a program with a buffer of a page would write them.
fn flood(lines: u64) {
    let mut out = File::from(std::io::stdout().as_fd().try_clone_to_owned().unwrap());
    let mut buffer = vec![b'x'; 40 * LINE];
    let mut number = 0;
    while number < lines {
        let count = (lines - number).min(40) as usize;
        for line in buffer[..count * LINE].chunks_mut(LINE) {
            write_digits(&mut line[..12], number);
            line[LINE - 1] = b'\n';
            number += 1;
        }
        out.write_all(&buffer[..count * LINE]).unwrap();
    }
}

fn write_digits(digits: &mut [u8], mut number: u64) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Every line, in order, nothing else.
fn check(path: &Path, lines: u64, prefix: &str) {
    let mut reader = BufReader::with_capacity(1 << 20, File::open(path).unwrap());
    let (mut line, mut expected) = (Vec::new(), vec![b'x'; LINE]);
    expected[LINE - 1] = b'\n';
    for number in 0..lines {
        line.clear();
        reader.read_until(b'\n', &mut line).unwrap();
        write_digits(&mut expected[..12], number);
        let body = line.strip_prefix(prefix.as_bytes());
        assert!(
            body == Some(&expected[..]),
            "line {number} is lost or damaged"
        );
    }
    assert_eq!(
        reader.read(&mut [0]).unwrap(),
        0,
        "there is more than was written"
    );
}
