//! The life of the process that is a pool of a tree.

use std::future::pending;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use treewright_supervisors::spec::WorkersSpec;

use super::counter;
use super::desk::jobs_path;
use crate::context::Context;
use crate::error::Result;
use crate::pool::handle::ProcessPool;
use crate::pool::scope::open_pool;
use crate::tasks::Function;

/// When workers end that were started for more jobs than there are now.
const IDLE_LIMIT: Duration = Duration::from_secs(10);

/// What the process of a pool is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Service {
    name: String,
    size: u32,
    max: u32,
    intensity: u32,
    period: Duration,
}

impl Service {
    pub(crate) fn new(name: &str, workers: &WorkersSpec) -> Self {
        Self {
            name: name.to_owned(),
            size: workers.size,
            max: workers.max,
            intensity: workers.intensity,
            period: workers.period,
        }
    }

    /// As the arguments that a spec has for [`serve`].
    pub(crate) fn as_arguments(&self) -> Option<toml::Value> {
        let service = toml::Value::try_from(self).ok()?;
        Some(toml::Value::Array(vec![service]))
    }
}

/// What [`serve`] is known by.
pub(crate) fn serve_path() -> &'static str {
    <serve as Function>::PATH
}

/// What an actor that is started for the function of this path shows to others from the start.
pub(crate) fn exposed_by(path: &str) -> Option<&'static str> {
    (path == serve_path()).then(jobs_path)
}

/// Is a pool, until it is cancelled; which cancels its jobs and kills its workers.
#[crate::context(name = "treewright::pool::serve", crate = crate)]
async fn serve(ctx: Context, service: Service) -> Result<()> {
    let to_number = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    let settings = ProcessPool::builder()
        .name(service.name)
        .workers(to_number(service.max))
        .kept(to_number(service.size))
        .idle_limit(IDLE_LIMIT)
        .restart_limit(service.intensity, service.period);
    open_pool(settings, async |pool| {
        let _open = counter::open(pool);
        ctx.started(()).await?;
        pending().await
    })
    .await
}
