//! How jobs are to be run, as it travels.

use std::time::Duration;

use bytes::{Buf, Bytes};

use crate::error::{Error, ErrorKind, Result};
use crate::pool::handle::Manner;

/// What stands for no limit.
const NO_LIMIT: u64 = u64::MAX;

/// How jobs are to be run, as it travels: it holds for all jobs that follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pool) struct Terms {
    pub(in crate::pool) timeout: Option<Duration>,
    pub(in crate::pool) retries: u32,
}

impl From<Manner> for Terms {
    fn from(manner: Manner) -> Self {
        Self {
            timeout: manner.timeout,
            retries: manner.retries,
        }
    }
}

impl Terms {
    pub(in crate::pool) fn write(self) -> [u8; 12] {
        let nanos = self.timeout.map_or(NO_LIMIT, |limit| {
            let nanos = u64::try_from(limit.as_nanos()).unwrap_or(NO_LIMIT);
            nanos.min(NO_LIMIT - 1)
        });
        let mut bytes = [0; 12];
        bytes[..8].copy_from_slice(&nanos.to_le_bytes());
        bytes[8..].copy_from_slice(&self.retries.to_le_bytes());
        bytes
    }

    /// # Errors
    ///
    /// If they make no sense, for which the other side is to blame.
    pub(in crate::pool) fn read(mut bytes: Bytes) -> Result<Self> {
        if bytes.len() != 12 {
            return Err(Error::new(ErrorKind::Broken, "terms that make no sense"));
        }
        let nanos = bytes.get_u64_le();
        Ok(Self {
            timeout: (nanos != NO_LIMIT).then(|| Duration::from_nanos(nanos)),
            retries: bytes.get_u32_le(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_arrive_as_they_were() {
        for timeout in [
            None,
            Some(Duration::ZERO),
            Some(Duration::from_millis(1500)),
        ] {
            let terms = Terms {
                timeout,
                retries: 3,
            };
            let bytes = Bytes::copy_from_slice(&terms.write());
            assert_eq!(Terms::read(bytes).unwrap(), terms);
        }
        assert!(Terms::read(Bytes::from_static(b"short")).is_err());
    }
}
