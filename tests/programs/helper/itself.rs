//! What the program does to itself and tells.

use std::io::Write;
use std::{env, thread};

use super::say;

pub(super) fn raise(number: i32) {
    unsafe { libc::raise(number) };
}

pub(super) fn ignore(name: &str) {
    unsafe { libc::signal(number(name), libc::SIG_IGN) };
}

/// Catches a signal, says so, and goes on.
pub(super) fn catch(name: &str) {
    extern "C" fn caught(number: i32) {
        let digits = [
            b'0' + (number / 10) as u8,
            b'0' + (number % 10) as u8,
            b'\n',
        ];
        unsafe {
            libc::write(1, b"caught ".as_ptr().cast(), 7);
            libc::write(1, digits.as_ptr().cast(), 3);
        }
    }
    unsafe { libc::signal(number(name), caught as *const () as usize) };
}

pub(super) fn block(name: &str) {
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigaddset(&mut set, number(name));
        libc::sigprocmask(libc::SIG_BLOCK, &set, std::ptr::null_mut());
    }
}

pub(super) fn segfault() {
    unsafe { std::ptr::null_mut::<u8>().write_volatile(1) };
}

pub(super) fn close_output() {
    unsafe {
        libc::close(1);
        libc::close(2);
    }
}

/// Writes this many bytes of lines as fast as they are taken.
pub(super) fn flood(bytes: usize) {
    let line = [b'x'; 99];
    let mut out = std::io::stdout().lock();
    for _ in 0..bytes / 100 {
        out.write_all(&line).unwrap();
        out.write_all(b"\n").unwrap();
    }
    out.flush().unwrap();
}

pub(super) fn notify(message: &str) {
    let path = env::var_os("NOTIFY_SOCKET").unwrap();
    let socket = std::os::unix::net::UnixDatagram::unbound().unwrap();
    socket.send_to(message.as_bytes(), path).unwrap();
}

pub(super) fn wait_for_end_of_input() {
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).unwrap();
}

/// Takes this many mebibytes of memory for good.
pub(super) fn eat(mebibytes: usize) {
    let mut memory = vec![0_u8; mebibytes << 20];
    for page in memory.chunks_mut(4096) {
        page[0] = 1;
    }
    std::mem::forget(memory);
}

/// Leaves another thread alone: the process shows as a zombie and lives.
pub(super) fn main_thread_ends() {
    thread::spawn(|| {
        say("alone");
        hang();
    });
    unsafe { libc::syscall(libc::SYS_exit, 0) };
}

pub(super) fn hang() -> ! {
    loop {
        unsafe { libc::pause() };
    }
}

pub(super) fn number(name: &str) -> i32 {
    name.parse::<treewright::spec::Signal>().unwrap().number()
}
