//! Functions that cannot be tasks by what their types can do.

use treewright::task;

struct Picture;

#[task]
async fn takes_what_does_not_travel(picture: Picture) {
    let Picture = picture;
}

#[task]
async fn returns_what_does_not_travel() -> Option<Picture> {
    None
}

struct NoError;

#[task]
async fn fails_with_no_error() -> Result<(), NoError> {
    Ok(())
}

struct TestResult;

#[task]
async fn returns_a_result_that_is_none() -> TestResult {
    TestResult
}

fn main() {}
