//! One stream for many receivers of this process: every one gets every item.

mod bell;
mod lag;
#[cfg(test)]
mod model_tests;
mod receiver;
mod shared;
mod state;
#[cfg(test)]
mod state_tests;
#[cfg(test)]
mod tests;

pub use lag::Lag;
pub use receiver::BroadcastReceiver;
pub(super) use receiver::capacity_of;
