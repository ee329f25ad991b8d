//! Functions that cannot be contexts or streams by how they are written.

use treewright::{Context, StreamSender, context, stream, task};

#[context]
fn not_async(_ctx: Context) {}

#[context]
async fn talks_through_nothing(_n: u32) {}

#[context]
async fn has_no_argument() {}

#[context]
async fn borrows_it(_ctx: &Context<u8, u8, u8>) {}

#[context]
async fn borrows_messages(_ctx: Context<(), &'static str, Vec<&u8>>) {}

#[context]
async fn has_too_many_types(_ctx: Context<u8, u8, u8, u8>) {}

#[context]
async fn has_two(_ctx: Context<u8>, _other: Context<u8>) {}

#[context]
async fn generic<T>(_ctx: Context<T, T, T>) {}

#[context]
async fn yields(_out: StreamSender<u8>) {}

#[task]
async fn task_with_a_context(_ctx: Context<u8, u8, u8>) {}

#[task]
async fn task_that_yields(_out: StreamSender<u8>) {}

#[stream]
async fn yields_nothing(_upto: u64) {}

#[stream]
async fn returns_a_value(_out: StreamSender<u8>) -> u64 {
    0
}

#[context(publik)]
async fn unknown_option(_ctx: Context) {}

fn main() {}
