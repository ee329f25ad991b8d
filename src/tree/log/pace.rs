//! How often a pipe is read: at once when it speaks now and then, in large portions when it floods.

use std::time::Duration;

/// How long a flood is left to gather. A pipe of 1 MiB then still carries 2 GiB/s.
const PAUSE: Duration = Duration::from_micros(500);

/// A portion so much smaller than the buffer says that the flood is over.
const TRICKLE: usize = 8;

/// Whether a pipe floods.
///
/// To be woken costs several system calls; to be woken for each write of a child that writes
/// all the time costs more than its bytes do. A pipe that once filled the whole buffer is
/// therefore left alone for a moment each time it was emptied, until it brings little.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Pace {
    /// It speaks now and then.
    #[default]
    Steady,
    /// It writes all the time.
    Flood,
}

/// What the reader does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Reads again after the others had their turn: there is more.
    Again,
    /// Reads again after this time, without being woken.
    Pause(Duration),
    /// Waits until the pipe is readable.
    Wait,
}

impl Pace {
    /// Takes the outcome of a read of `count` bytes into a buffer of `size`.
    pub(crate) fn step(&mut self, count: usize, size: usize) -> Next {
        if count == size {
            *self = Self::Flood;
            return Next::Again;
        }
        // A read that does not fill the buffer has emptied the pipe.
        if *self == Self::Flood && count >= size / TRICKLE {
            return Next::Pause(PAUSE);
        }
        *self = Self::Steady;
        Next::Wait
    }

    /// Whether the pipe floods.
    pub(crate) fn is_flood(self) -> bool {
        self == Self::Flood
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_made_only_while_the_pipe_floods() {
        let mut pace = Pace::default();
        for (count, expected) in [
            (10, Next::Wait),
            (799, Next::Wait),
            (800, Next::Again),
            (300, Next::Pause(PAUSE)),
            (100, Next::Pause(PAUSE)),
            (99, Next::Wait),
            (300, Next::Wait),
        ] {
            assert_eq!(pace.step(count, 800), expected, "{count}");
        }
    }
}
