//! The error of a task as the value it was.

use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::wire::Codec;

impl Error {
    /// The error of the function that failed in another actor, as the value it was there:
    /// if it was of type `E`, and `E` can travel (it is `Serialize`).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use serde::{Deserialize, Serialize};
    /// use treewright::Portal;
    ///
    /// #[derive(Debug, thiserror::Error, Serialize, Deserialize)]
    /// #[error("only {left} left")]
    /// struct SoldOut {
    ///     left: u32,
    /// }
    ///
    /// #[treewright::task]
    /// async fn take(count: u32) -> Result<(), SoldOut> {
    ///     Err(SoldOut { left: count - 1 })
    /// }
    ///
    /// # async fn f(portal: Portal) {
    /// let error = portal.run(take(3)).await.unwrap_err();
    /// let SoldOut { left } = error.payload().unwrap();
    /// # }
    /// ```
    #[must_use]
    pub fn payload<E: DeserializeOwned>(&self) -> Option<E> {
        let payload = self.remote()?.payload()?;
        match payload.type_name == std::any::type_name::<E>() {
            true => Codec::Cbor.decode(&payload.bytes).ok(),
            false => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::error::{Error, Payload, RemoteError};
    use crate::id::ActorId;
    use crate::wire::Codec;

    #[test]
    fn payload_comes_back_as_the_type_it_was_and_as_no_other() {
        let mut bytes = Vec::new();
        Codec::Cbor.encode(&7_u32, &mut bytes).unwrap();
        let payload = Payload {
            type_name: "u32".to_owned(),
            bytes,
        };
        let here = ActorId::new("here");
        let remote = RemoteError::pack(&Error::other("boom"), &here).with_payload(Some(payload));
        let error = Error::from(remote).context("cannot take");
        assert_eq!(error.payload::<u32>(), Some(7));
        assert_eq!(error.payload::<u64>(), None);
        assert_eq!(Error::other("boom").payload::<u32>(), None);
    }
}
