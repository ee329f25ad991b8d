//! Signals by name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A Unix signal, written by its name with or without `SIG`.
///
/// Numbers are Linux's (`signal(7)`, the x86, ARM and RISC-V column).
///
/// # Examples
///
/// ```
/// use treewright_supervisors::spec::Signal;
///
/// assert_eq!("SIGTERM".parse(), Ok(Signal::TERM));
/// assert_eq!("int".parse(), Ok(Signal::INT));
/// assert_eq!(Signal::TERM.to_string(), "TERM");
/// assert_eq!(Signal::TERM.number(), 15);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Signal(u8);

/// A text that names no signal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no signal is called `{0}`")]
pub struct UnknownSignal(String);

macro_rules! signals {
    ($($name:ident $number:literal $doc:literal)*) => {
        impl Signal {
            $(#[doc = $doc] pub const $name: Self = Self($number);)*

            /// Every named signal, by number.
            pub const ALL: &'static [(Self, &'static str)] = &[$((Self($number), stringify!($name))),*];
        }
    };
}

signals! {
    HUP 1 "Hang-up."
    INT 2 "Interrupt from the keyboard."
    QUIT 3 "Quit from the keyboard."
    ILL 4 "Illegal instruction."
    TRAP 5 "Trace trap."
    ABRT 6 "Abort."
    BUS 7 "Bus error."
    FPE 8 "Arithmetic error."
    KILL 9 "Kill; can be neither caught nor ignored."
    USR1 10 "First signal for the user."
    SEGV 11 "Invalid memory reference."
    USR2 12 "Second signal for the user."
    PIPE 13 "Write to a pipe nobody reads."
    ALRM 14 "Timer of `alarm(2)`."
    TERM 15 "Termination."
    STKFLT 16 "Stack fault; unused."
    CHLD 17 "A child stopped or ended."
    CONT 18 "Continue if stopped."
    STOP 19 "Stop; can be neither caught nor ignored."
    TSTP 20 "Stop typed at the terminal."
    TTIN 21 "Terminal input for a background process."
    TTOU 22 "Terminal output for a background process."
    URG 23 "Urgent condition on a socket."
    XCPU 24 "Processor time limit exceeded."
    XFSZ 25 "File size limit exceeded."
    VTALRM 26 "Virtual alarm clock."
    PROF 27 "Profiling timer expired."
    WINCH 28 "Window size changed."
    IO 29 "Input or output possible."
    PWR 30 "Power failure."
    SYS 31 "Bad system call."
}

impl Signal {
    /// The signal with this number, if Linux has one with a fixed name or it is a real-time signal.
    #[must_use]
    pub const fn from_number(number: i32) -> Option<Self> {
        if number >= 1 && number <= 64 {
            Some(Self(number as u8))
        } else {
            None
        }
    }

    /// The number `kill(2)` takes.
    #[must_use]
    pub const fn number(self) -> i32 {
        self.0 as i32
    }
}

impl FromStr for Signal {
    type Err = UnknownSignal;

    fn from_str(text: &str) -> Result<Self, UnknownSignal> {
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        if let Some((signal, _)) = Self::ALL.iter().find(|(_, known)| *known == name) {
            return Ok(*signal);
        }
        real_time(name).ok_or_else(|| UnknownSignal(text.to_owned()))
    }
}

/// `RTMIN+n`, counted as glibc counts: the first two real-time signals are its own.
fn real_time(name: &str) -> Option<Signal> {
    let rest = name.strip_prefix("RTMIN")?;
    let offset: u8 = match rest.strip_prefix('+') {
        Some(digits) => digits.parse().ok()?,
        None if rest.is_empty() => 0,
        None => return None,
    };
    let number = 34_u8.checked_add(offset)?;
    (number <= 64).then_some(Signal(number))
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Self::ALL.iter().find(|(signal, _)| signal == self) {
            Some((_, name)) => f.write_str(name),
            None if self.0 == 34 => f.write_str("RTMIN"),
            None if self.0 > 34 => write!(f, "RTMIN+{}", self.0 - 34),
            None => write!(f, "{}", self.0),
        }
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for Signal {
    type Error = UnknownSignal;

    fn try_from(text: String) -> Result<Self, UnknownSignal> {
        text.parse()
    }
}

impl From<Signal> for String {
    fn from(signal: Signal) -> Self {
        signal.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_back_to_its_signal() {
        for number in (1..=31).chain(34..=64) {
            let signal = Signal::from_number(number).unwrap();
            assert_eq!(signal.to_string().parse(), Ok(signal));
        }
    }

    #[test]
    fn unknown_names_are_refused() {
        for text in ["", "SIG", "TERMM", "RTMIN+31", "RTMIN-1", "15"] {
            assert!(text.parse::<Signal>().is_err(), "{text}");
        }
    }
}
