//! The way up from the process of an isolated supervisor.

use treewright_supervisors::spec::ChildName;

use super::message::News;
use crate::rt::channel;

pub(in crate::tree) use super::message::News as Told;

/// The way up: what it takes is told to the process above, in order.
///
/// The queue has no bound of its own: what goes up is a handful of things for each start and end
/// of a child, and the limits of the supervisors bound these.
#[derive(Clone, Debug)]
pub(in crate::tree) struct Uplink(channel::Sender<News>);

impl Uplink {
    pub(super) fn new() -> (Self, channel::Receiver<News>) {
        let (sender, receiver) = channel::unbounded();
        (Self(sender), receiver)
    }

    pub(in crate::tree) fn tell(&self, news: News) {
        // Refused only when nobody above listens any more, and then this process ends.
        let _ = self.0.try_send(news);
    }

    pub(in crate::tree) fn forgot(&self, child: &ChildName) {
        self.tell(News::Forgot(child.clone()));
    }
}
