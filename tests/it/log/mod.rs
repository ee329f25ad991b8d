//! Output of children: real processes and pipes, real files and full disks.

mod faults;
mod files;
mod lines;
mod pressure;
mod support;
