//! Time as the runtime sees it: the real clock, and a virtual one for tests.

mod clock;
mod virtual_clock;

pub use clock::Clock;
pub use treewright_supervisors::Time;
pub use virtual_clock::VirtualClock;
pub(crate) use virtual_clock::VirtualSleep;
