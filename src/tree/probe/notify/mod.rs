//! The socket children tell us through how they are (`sd_notify(3)`).

mod inbox;
mod message;
mod socket;

pub use inbox::NotifyInbox;
pub use message::Notification;
pub use socket::{NotifyError, NotifySocket};
