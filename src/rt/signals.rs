//! Signals that this process is sent, as a stream.

use std::io;

use futures_lite::StreamExt;
use rustix::process::Signal;

/// Signals that this process is sent, from the moment this was made.
///
/// While one exists the default action of its signals does not happen. The handler stays
/// in place for ever once it was installed (the registry never removes one), so after
/// the last stream is dropped the signal does nothing: whoever needs the default action
/// back asks `signal_hook::flag::register_conditional_default` for it.
pub(crate) struct Signals {
    inner: async_signal::Signals,
}

impl Signals {
    /// Listens for `signals`.
    pub(crate) fn new(signals: &[Signal]) -> io::Result<Self> {
        let known = signals
            .iter()
            .map(|signal| known(*signal))
            .collect::<io::Result<Vec<_>>>()?;
        let inner = async_signal::Signals::new(known)?;
        Ok(Self { inner })
    }

    /// Waits for the next one. Dropping the future loses none; several of one kind that
    /// arrive before they are asked for may be told as one.
    pub(crate) async fn next(&mut self) -> io::Result<Signal> {
        let signal = match self.inner.next().await {
            Some(signal) => signal?,
            None => return Err(io::ErrorKind::UnexpectedEof.into()),
        };
        Signal::from_named_raw(signal as i32).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}

fn known(signal: Signal) -> io::Result<async_signal::Signal> {
    use async_signal::Signal as Known;
    match signal {
        Signal::HUP => Ok(Known::Hup),
        Signal::INT => Ok(Known::Int),
        Signal::QUIT => Ok(Known::Quit),
        Signal::TERM => Ok(Known::Term),
        Signal::USR1 => Ok(Known::Usr1),
        Signal::USR2 => Ok(Known::Usr2),
        Signal::CHILD => Ok(Known::Child),
        Signal::PIPE => Ok(Known::Pipe),
        Signal::ALARM => Ok(Known::Alarm),
        Signal::WINCH => Ok(Known::Winch),
        other => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("cannot listen for signal {}", other.as_raw()),
        )),
    }
}

#[cfg(test)]
mod tests {
    use rustix::process::{getpid, kill_process};

    use super::*;
    use crate::time::Clock;

    #[test]
    fn signal_sent_to_this_process_comes_out_of_the_stream() {
        crate::rt::block_on(&Clock::Monotonic, async {
            let mut signals = Signals::new(&[Signal::USR1]).unwrap();
            kill_process(getpid(), Signal::USR1).unwrap();
            assert_eq!(signals.next().await.unwrap(), Signal::USR1);
        });
    }

    #[test]
    fn signal_that_cannot_be_caught_is_refused() {
        assert!(Signals::new(&[Signal::KILL]).is_err());
    }
}
