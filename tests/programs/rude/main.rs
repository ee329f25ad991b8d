//! A program that should be an actor and is none: it speaks on its link what `TREEWRIGHT_RUDE`
//! says, and waits for the end of the link.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests fails when it cannot do what it should"
)]

mod frames;

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;

use frames::{BY_STARTED, boot, frame, header, hello, kinds, noise, ready, start};

fn main() {
    let link = std::io::stdin().as_fd().try_clone_to_owned().unwrap();
    let mut link = File::from(link);
    let kind = std::env::var("TREEWRIGHT_RUDE").unwrap();
    let up = [hello(1, 1), ready()].concat();
    let after = |bytes: Vec<u8>| [up.clone(), bytes].concat();
    let said = match kind.as_str() {
        "noise" => noise(1, 4096),
        "huge-length" => header(u32::MAX, kinds::HELLO, 1, 0),
        "another-version" => header(0, kinds::HELLO, 9, 0),
        "later-versions-only" => hello(7, 9),
        "boot" => [hello(1, 1), boot(1)].concat(),
        "half-a-hello" => hello(1, 1)[..20].to_vec(),
        "nonsense-in-a-hello" => frame(kinds::HELLO, 0, &noise(2, 40)),
        "noise-when-up" => after(noise(3, 4096)),
        "huge-length-when-up" => after(header(u32::MAX, kinds::RESULT, 1, 1)),
        "end-of-nothing" => after(frame(kinds::RESULT, 99, &[0xf6])),
        "end-of-our-own" => after(frame(kinds::RESULT, BY_STARTED | 1, &[0xf6])),
        "end-of-the-parent" => after(frame(kinds::CANCEL, 0, &[0xf6])),
        "replay" => after([BY_STARTED | 1; 2].map(|id| start(id, "a", 1)).concat()),
        "start-as-the-parent" => after(start(1, "a", 1)),
        "hello-again" => after(hello(1, 1)),
        "pings" => {
            link.write_all(&up).unwrap();
            // Until nobody takes them any more.
            while link
                .write_all(&frame(kinds::PING, 0, &[]).repeat(4096))
                .is_ok()
            {}
            return;
        }
        "dialog" => {
            link.write_all(&up).unwrap();
            until_a_start(&mut link);
            frames_to_say()
        }
        "deaf" => {
            link.write_all(&up).unwrap();
            loop {
                std::thread::park();
            }
        }
        other => panic!("no rudeness is called {other}"),
    };
    link.write_all(&said).unwrap();
    if kind == "half-a-hello" {
        // What was said to us is read, or the end would be a reset.
        let _said = link.read(&mut [0; 4096]).unwrap();
        return;
    }
    let mut rest = Vec::new();
    // A link that is broken off has ended, too.
    let _ended = link.read_to_end(&mut rest);
}

/// Reads frames until somebody opens a context.
fn until_a_start(link: &mut File) {
    loop {
        let mut header = [0; 16];
        link.read_exact(&mut header).unwrap();
        let length = u32::from_le_bytes(header[..4].try_into().unwrap());
        let mut body = vec![0; length.try_into().unwrap()];
        link.read_exact(&mut body).unwrap();
        if header[4] == kinds::START {
            return;
        }
    }
}

/// What `TREEWRIGHT_RUDE_SAYS` has, in hexadecimal digits.
fn frames_to_say() -> Vec<u8> {
    let digits = std::env::var("TREEWRIGHT_RUDE_SAYS").unwrap();
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(byte).collect()
}
